export { describeMachine, type Machine } from "./machine/describe.js";
export { MachineProbe, type ProbeRates, type ProbeReading } from "./machine/probe.js";
export { quantile } from "./measure/statistics.js";
export { requireClose, requireThat, type Tolerance, WrongResultError } from "./measure/wrong-result.js";
export { freePath, RESULTS_FOLDER } from "./report/save.js";
