const word = new Uint32Array(1);
const number = new Float32Array(word.buffer);

/** out[at …] = bfloat16 numbers, exactly. */
export function widened(halves: Uint16Array, out: Float32Array, at: number): void {
  for (let d = 0; d < halves.length; d++) {
    word[0] = halves[d]! * 65536;
    out[at + d] = number[0]!;
  }
}

/** out = the bfloat16 numbers nearest to finite `values`, ties to even: where there is no step that random bits could belong to. */
export function narrowed(values: Float32Array, out: Uint16Array): void {
  for (let d = 0; d < values.length; d++) {
    number[0] = values[d]!;
    const bits = word[0]!;
    out[d] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}
