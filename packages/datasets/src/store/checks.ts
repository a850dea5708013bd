import { FileFormatError } from "@logq/core";

/** Throws unless every id is in [0, size). */
export function requireIds(place: string, ids: Int32Array, size: number): void {
  for (let i = 0; i < ids.length; i++) {
    // As unsigned, a negative id is too great as well.
    if (ids[i] >>> 0 >= size) {
      throw new FileFormatError(`${place}[${i}] is ${ids[i]}, not in [0, ${size})`, {
        place,
        index: i,
        value: ids[i],
        size,
      });
    }
  }
}

/** Throws unless the offsets begin at 0, never fall and end at `total`. */
export function requireOffsets(place: string, offsets: Int32Array | Uint32Array, total: number): void {
  const last = offsets.length - 1;
  if (last < 0 || offsets[0] !== 0 || offsets[last] !== total) {
    throw new FileFormatError(`${place} must run from 0 to ${total}, not from ${offsets[0]} to ${offsets[last]}`, {
      place,
      first: offsets[0],
      last: offsets[last],
      total,
    });
  }
  for (let i = 0; i < last; i++) {
    if (offsets[i] > offsets[i + 1]) {
      throw new FileFormatError(`${place}[${i + 1}] is ${offsets[i + 1]}, below the ${offsets[i]} before it`, {
        place,
        index: i + 1,
        value: offsets[i + 1],
        before: offsets[i],
      });
    }
  }
}

/** Throws unless every count is a whole number ≥ 0 and they descend. */
export function requireCounts(place: string, counts: Float64Array): void {
  for (let i = 0; i < counts.length; i++) {
    if (!(Number.isInteger(counts[i]) && counts[i] >= 0 && (i === 0 || counts[i] <= counts[i - 1]))) {
      throw new FileFormatError(`${place}[${i}] is ${counts[i]}; counts are whole and descend`, {
        place,
        index: i,
        value: counts[i],
      });
    }
  }
}

/** Throws unless every value is finite. */
export function requireFinite(place: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new FileFormatError(`${place}[${i}] is ${values[i]}; values are finite`, {
        place,
        index: i,
        value: values[i],
      });
    }
  }
}
