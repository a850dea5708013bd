import { bytesOf, slices } from "./chunks.js";
import type { ExportTable } from "./tables.js";

/** The header is filled up with spaces to a multiple of this, so that the tensors are aligned. */
const ALIGNMENT = 8;

/**
 * The safetensors format: the length of the header (uint64), a JSON header that says where each tensor lies, then the tensors without gaps.
 * https://github.com/huggingface/safetensors#format
 * @param shapes of all tensors, in the order of `tables`
 * @param metadata strings only, as the format wants
 */
export async function* safetensorsChunks(
  shapes: readonly { readonly name: string; readonly shape: readonly number[] }[],
  tables: AsyncIterable<ExportTable>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  let end = 0;
  const entries = shapes.map(({ name, shape }) => {
    const begin = end;
    end += shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }), "utf8");
  const padding = (ALIGNMENT - (json.length % ALIGNMENT)) % ALIGNMENT;
  const head = Buffer.alloc(8 + json.length + padding, " ");
  head.writeBigUInt64LE(BigInt(json.length + padding));
  json.copy(head, 8);
  yield head;
  for await (const { values } of tables) yield* slices(bytesOf(values));
}
