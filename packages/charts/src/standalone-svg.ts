import { CHART_FONTS, colorCss } from "./theme.js";

/** A chart as a file of its own: its colours, light and dark, travel inside it. */
export function standaloneSvg(svg: string): string {
  const css = `${colorCss("svg")}
svg{background:var(--paper);color:var(--ink);font:12px ${CHART_FONTS};font-variant-numeric:tabular-nums}`;
  const end = svg.indexOf(">") + 1;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.slice(0, end)}<style>${css}</style>${svg.slice(end)}\n`;
}
