export { describeMachine, type Machine } from "./machine/describe.js";
export { MachineProbe, type ProbeRates, type ProbeReading } from "./machine/probe.js";
export { quantile } from "./measure/statistics.js";
export { requireClose, requireThat, type Tolerance, WrongResultError } from "./measure/wrong-result.js";
export { requireFiles, withTemporaryFolder } from "./published/folder.js";
export { NGRAM_OPTIMIZER, REDDIT_TITLES, redditTitles } from "./published/reddit.js";
export { machineLine, markdownTable, signedPercent } from "./report/markdown.js";
export { requirePage, writeIntoPage } from "./report/page.js";
export { freePath, RESULTS_FOLDER } from "./report/save.js";
