/** Which BLAS, as it was found. Plain data: workers get it by message, runs store it. */
export interface BlasFacts {
  /** "OpenBLAS 0.3.21", "Accelerate" */
  readonly library: string;
  /** The name that the system's loader finds it by. */
  readonly path: string;
  /** The file behind the name, where it is known. */
  readonly file: string;
  /** The processor type that its kernels are for, as the library says: "SkylakeX". undefined: it does not say. */
  readonly core: string | undefined;
}
