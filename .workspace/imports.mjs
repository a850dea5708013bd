// Finds the modules that a TypeScript or JavaScript file names, without a parser.

/**
 * Every module named by an import, an export from, a dynamic import or `new URL("….js", import.meta.url)`
 * (a worker); documents and data found the same way are no modules.
 * @param {string} source
 * @returns {{ specifier: string, line: number }[]}
 */
export function importsOf(source) {
  const code = blankComments(source);
  const patterns = [
    /\b(?:import|export)\s[^;"'`]*?\bfrom\s*["']([^"'\n]+)["']/g,
    /\bimport\s*["']([^"'\n]+)["']/g,
    /\bimport\s*\(\s*["']([^"'\n]+)["']/g,
    /\bnew\s+URL\(\s*["']([^"'\n]+\.[cm]?[jt]s)["']\s*,\s*import\.meta\.url/g,
  ];
  const found = patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({
      specifier: match[1],
      line: code.slice(0, match.index + match[0].length).split("\n").length,
    })),
  );
  return found.sort((a, b) => a.line - b.line);
}

/**
 * The source with its comments turned into spaces: examples in docstrings import things too. Strings are stepped over,
 * so that a `//` inside one is not taken for a comment. A quote inside a regular expression can mislead it, but only to
 * the end of the line.
 */
export function blankComments(source) {
  let out = "";
  let at = 0;
  while (at < source.length) {
    const end = endOfToken(source, at);
    const token = source.slice(at, end);
    const isComment = token.startsWith("//") || token.startsWith("/*");
    out += isComment ? token.replaceAll(/[^\n]/g, " ") : token;
    at = end;
  }
  return out;
}

function endOfToken(source, at) {
  const two = source.slice(at, at + 2);
  if (two === "//") return endAt(source, "\n", at);
  if (two === "/*") return endAt(source, "*/", at + 2) + 2;
  const quote = source[at];
  if (quote !== '"' && quote !== "'" && quote !== "`") return at + 1;
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i += 1;
    else if (source[i] === quote) return i + 1;
    else if (source[i] === "\n" && quote !== "`") return i;
  }
  return source.length;
}

function endAt(source, text, from) {
  const found = source.indexOf(text, from);
  return found < 0 ? source.length : found;
}
