/** How a peer's process is set: variables on top of a bare environment. */
export interface ProcessSettings {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** glibc keeps what was freed, so that fresh buffers of megabytes are no page faults. Nothing is mapped apart, nothing is given back. */
const KEEP_PAGES = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "1099511627776",
  MALLOC_TOP_PAD_: "67108864",
};

const threadsOf = (threads: number) => ({
  OMP_NUM_THREADS: String(threads),
  MKL_NUM_THREADS: String(threads),
  OPENBLAS_NUM_THREADS: String(threads),
});

/** As it comes, but for the number of threads. */
export function stock(threads: number): ProcessSettings {
  return { name: "stock", env: threadsOf(threads) };
}

/**
 * Settings of which the fastest counts as "tuned".
 * @param preload what makes MKL take the processor's best kernels (see `mklPreload`), if that is of use
 */
export function tuned(threads: number, preload?: string): ProcessSettings[] {
  const ways = ["PASSIVE", "ACTIVE"].map((policy) => ({
    name: "tuned",
    env: { ...threadsOf(threads), ...KEEP_PAGES, OMP_WAIT_POLICY: policy, ...openblasCore() },
  }));
  if (preload === undefined) return ways;
  return [...ways.map(({ name, env }) => ({ name, env: { ...env, LD_PRELOAD: preload } })), ways[0]!];
}

/** OpenBLAS, where a peer's build has it, may take the kernels of another processor: the user's word for it is passed on. */
function openblasCore(): Record<string, string> {
  const { OPENBLAS_CORETYPE } = process.env;
  return OPENBLAS_CORETYPE === undefined ? {} : { OPENBLAS_CORETYPE };
}

/** Variables that a program needs to run at all; anything else could set a peer unseen. */
const NEEDED = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "CXX", "CC", "SYSTEMROOT", "TEMP"];

export function bareEnvironment(): Record<string, string> {
  const env: Record<string, string> = { PYTHONUNBUFFERED: "1", TF_CPP_MIN_LOG_LEVEL: "3", CUDA_VISIBLE_DEVICES: "" };
  for (const name of NEEDED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
