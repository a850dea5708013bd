/** What OpenBLAS's SkylakeX kernels need. It may not know the processor, and then takes kernels of half the width. */
const SKYLAKEX = ["avx512f", "avx512dq", "avx512bw", "avx512vl"];

/** Core types of OpenBLAS that this processor can run for certain, beside what OpenBLAS would choose. A core that it lacks is an illegal instruction. */
export function forcibleCores(flags: ReadonlySet<string>): readonly string[] {
  return SKYLAKEX.every((flag) => flags.has(flag)) ? ["SKYLAKEX"] : [];
}
