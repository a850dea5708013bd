export type { InstructionSet } from "@logq/native";
export {
  availableBackends,
  type Backend,
  type BackendChoice,
  compileBackend,
  describeBackend,
  instantiateBackend,
} from "./backend.js";
export type { BlasFacts } from "./facts.js";
export { moveToHugePages, preferHugePages } from "./huge-pages.js";
