export { createReferenceKernels } from "./kernels.js";
