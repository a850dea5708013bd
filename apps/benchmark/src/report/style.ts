import { CHART_FONTS, colorCss } from "@logq/charts";

/** The report's style sheet: a printed paper's manners, light and dark, on a phone and on paper. */
export const REPORT_CSS = `${colorCss(":root")}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Palatino,"Source Serif 4",Georgia,"Liberation Serif",serif;font-variant-numeric:oldstyle-nums}
main{max-width:46rem;margin:0 auto;padding:3.5rem 1.25rem 5rem}
header{margin-bottom:2.25rem}
h1{font-size:2rem;line-height:1.2;font-weight:600;letter-spacing:-.01em;margin:0 0 .4rem;text-wrap:balance}
.sub{color:var(--muted);margin:0;font-size:.975rem}
h2{font-size:1.3rem;line-height:1.3;font-weight:600;margin:0 0 .4rem;text-wrap:balance}
h3,figure,svg,table,.facts dt{font-family:${CHART_FONTS};font-variant-numeric:tabular-nums}
h3{font-size:.9rem;font-weight:600;margin:0 0 .35rem}
p{margin:0 0 1rem;text-wrap:pretty;hyphens:auto}
section{margin-top:3.25rem}
.conclusion{border-top:1px solid var(--ink);border-bottom:1px solid var(--rule);padding:1.25rem 0 .35rem}
.conclusion .lead{font-size:1.3rem;line-height:1.45}
.partial{border-left:3px solid var(--vermillion);padding-left:.9rem;color:var(--muted)}
figure{margin:1rem 0 0}
figure svg{display:block;width:100%;height:auto;overflow:visible;font-size:12px}
.chart{break-inside:avoid}
.panels{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.75rem 1.5rem}
.panels.one{grid-template-columns:minmax(0,1fr)}
.narrow{display:none}
.caption,.note{color:var(--muted);font-size:.95rem;line-height:1.5}
.note{font-style:italic}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch;margin:1rem 0;border-top:1px solid var(--ink);border-bottom:1px solid var(--ink)}
.scroll:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
table{border-collapse:collapse;font-size:.785rem;line-height:1.35;white-space:nowrap;min-width:100%}
th,td{padding:.3rem .42rem;text-align:left;vertical-align:baseline}
th{font-weight:600;vertical-align:bottom;white-space:normal;min-width:3.2rem}
.n{text-align:right}
thead th{border-bottom:1px solid var(--rule);background:var(--paper)}
tr.size>*{border-top:1px solid var(--rule)}
tbody tr:hover{background:var(--wash)}
sup{line-height:0}
ol.notes{font-size:.9rem;color:var(--muted);padding-left:1.4rem;line-height:1.5}
.facts{display:grid;grid-template-columns:minmax(8.5rem,auto) 1fr;gap:.3rem 1.25rem;margin:1rem 0;font-size:.975rem;line-height:1.5}
.facts dt{font-size:.85rem;font-weight:600;line-height:1.75}
.facts dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--muted);font-size:.9rem}
@media(min-width:60rem){.wide-table{width:min(76rem,calc(100vw - 4rem));margin-left:50%;transform:translateX(-50%)}}
@media(max-width:40rem){
main{padding:2rem 1rem 3rem}
h1{font-size:1.6rem}
.conclusion .lead{font-size:1.15rem}
.panels{grid-template-columns:minmax(0,1fr)}
.has-narrow .wide{display:none}
.narrow{display:block}
.facts{grid-template-columns:1fr;gap:0}
.facts dd{margin-bottom:.6rem}
}
@media print{
@page{size:A4;margin:16mm 15mm}
body{font-size:10pt;line-height:1.45}
main{max-width:none;padding:0}
section{margin-top:1.6rem}
h2,h3{break-after:avoid}
.panels{grid-template-columns:repeat(2,minmax(0,1fr))}
.has-narrow .wide{display:block}
.narrow{display:none}
.scroll{overflow:visible}
table{font-size:5.6pt;white-space:normal}
th,td{padding:.14rem .18rem}
th{min-width:0}
tr{break-inside:avoid}
tbody tr:hover{background:none}
.facts{grid-template-columns:8.5rem 1fr}
}`;
