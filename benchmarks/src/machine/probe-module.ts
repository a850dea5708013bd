/**
 * A WebAssembly module that asks the processor two questions and is written out here, byte by byte, so that no change of kernels or
 * compilers can change the questions:
 *
 * - multiplyAdd(count: i32): count · FLOPS_PER_ROUND float32 operations in registers. Twelve accumulators hide the latency of a multiply and
 *   an add (3 + 3 cycles, two of each a cycle), and with two constants they fit the sixteen vector registers of x86-64.
 * - read(from: i32, to: i32): loads bytes [from, to) of its memory, a multiple of LINE of them
 */
const ACCUMULATORS = 12;
const LOADS = 8;

export const FLOPS_PER_ROUND = ACCUMULATORS * 4 * 2;
export const LINE = 16 * LOADS;

/** Two of these, one a thread, are more than the last-level cache of a core complex. */
export const MEMORY_BYTES = 64 * 2 ** 20;

/** What an instance exports. Results are of no interest, but keep the work from being removed. */
export interface ProbeExports {
  readonly memory: WebAssembly.Memory;
  multiplyAdd(count: number): number;
  read(from: number, to: number): number;
}

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const END = 0x0b;

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const i32const = (value: number) => [0x41, ...signed(value)];
const splat = (value: number) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer), 0xfd, 0x13];
const f32x4mul = [0xfd, 0xe6, 0x01];
const f32x4add = [0xfd, 0xe4, 0x01];
const v128xor = [0xfd, 0x51];
const firstLane = [0xfd, 0x1f, 0];
const v128load = (offset: number) => [0xfd, 0x00, 4, ...unsigned(offset)];
const loop = (body: number[]) => [0x03, 0x40, ...body, END];
const repeatIf = [0x0d, 0];

/** The binary of the module. */
export function probeModule(): Uint8Array<ArrayBuffer> {
  const pages = MEMORY_BYTES / 65536;
  const name = (text: string) => sized([...new TextEncoder().encode(text)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 1, I32, 1, F32, 0x60, 2, I32, I32, 1, F32]),
    ...section(3, [2, 0, 1]),
    ...section(5, [1, 1, ...unsigned(pages), ...unsigned(pages)]),
    ...section(7, [3, ...name("memory"), 2, 0, ...name("multiplyAdd"), 0, 0, ...name("read"), 0, 1]),
    ...section(10, [2, ...sized(multiplyAdd()), ...sized(read())]),
  ]);
}

function multiplyAdd(): number[] {
  const accumulator = (i: number) => 1 + i;
  const factor = 1 + ACCUMULATORS;
  const term = factor + 1;
  const each = range(ACCUMULATORS).flatMap((i) => [
    ...[...get(accumulator(i)), ...get(factor), ...f32x4mul, ...get(term), ...f32x4add],
    ...set(accumulator(i)),
  ]);
  return [
    ...[1, ACCUMULATORS + 2, V128],
    // The fixed point is 1: nothing overflows or becomes subnormal.
    ...[...splat(1 - 2 ** -10), ...set(factor), ...splat(2 ** -10), ...set(term)],
    ...loop([...each, ...get(0), ...i32const(1), 0x6b, ...tee(0), ...repeatIf]),
    ...folded(range(ACCUMULATORS).map(accumulator), f32x4add),
    END,
  ];
}

function read(): number[] {
  const value = (i: number) => 2 + i;
  const each = range(LOADS).flatMap((i) => [
    ...get(value(i)),
    ...get(0),
    ...v128load(16 * i),
    ...v128xor,
    ...set(value(i)),
  ]);
  return [
    ...[1, LOADS, V128],
    ...loop([...each, ...get(0), ...i32const(LINE), 0x6a, ...tee(0), ...get(1), 0x49, ...repeatIf]),
    ...folded(range(LOADS).map(value), v128xor),
    END,
  ];
}

/** The first lane of all locals joined by an operation. */
function folded(locals: number[], operation: number[]): number[] {
  return [...locals.flatMap((local, i) => (i === 0 ? get(local) : [...get(local), ...operation])), ...firstLane];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function section(id: number, body: number[]): number[] {
  return [id, ...sized(body)];
}

function sized(body: number[]): number[] {
  return [...unsigned(body.length), ...body];
}

/** LEB128 of an unsigned integer. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** LEB128 of a signed integer >= 0: one bit less in the last byte. */
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
