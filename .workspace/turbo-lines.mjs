// Reads what turbo prints: what it says about itself, apart from what the tasks say. turbo is pinned; a line that a later
// version words differently would merely be shown, except for the summary's, without which a run counts as failed.
import { stripVTControlCharacters } from "node:util";

const ABOUT_ITSELF = [
  /^\s*• /,
  /^\s*(Tasks|Cached|Time|Summary|Failed): /,
  /^\s*ERROR\s+run failed/,
  /^\S+#\w+:\s+ERROR\s+command \(/,
  /^\S+#\w+:\s+WARNING\s+(command finished|no output files found)/,
  /^\S+:\w+: (cache miss, executing|\[ELIFECYCLE\])/,
];
const SUMMARY = /^\s*Summary:\s+(.+\.json)\s*$/;

/**
 * @param {string} line with or without colours
 * @returns {{ isChatter: boolean, isBlank: boolean, summary: string | undefined }} summary: the path of the run's summary
 */
export function readLine(line) {
  const plain = stripVTControlCharacters(line);
  return {
    isChatter: ABOUT_ITSELF.some((pattern) => pattern.test(plain)),
    isBlank: plain.trim() === "",
    summary: SUMMARY.exec(plain)?.[1],
  };
}
