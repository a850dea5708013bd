export { type DotChart, type DotGroup, type DotRow, dotChart } from "./dot-chart.js";
export { escapeText } from "./escape.js";
export { type LineChart, type LinePoint, lineChart, type Series } from "./line-chart.js";
export { count, shortCount, significant } from "./numbers.js";
export { standaloneSvg } from "./standalone-svg.js";
export { CHART_FONTS, COLORS_DARK, COLORS_LIGHT, colorCss, type SeriesStyle } from "./theme.js";
