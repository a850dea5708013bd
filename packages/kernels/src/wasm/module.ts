import { shared as sharedBinary, unshared as unsharedBinary } from "./binary.generated.js";

/** The WebAssembly binary for shared or unshared memory. */
export function wasmBinary(shared: boolean): Uint8Array<ArrayBuffer> {
  const text = atob(shared ? sharedBinary : unsharedBinary);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
