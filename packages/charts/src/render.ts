import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { escapeText } from "./escape.js";

/** What every chart says besides its marks. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly margin: { readonly top: number; readonly right: number; readonly bottom: number; readonly left: number };
  /** Read out in place of the picture. */
  readonly description: string;
}

/** Draws with Observable Plot into an SVG element as text: valid in HTML and as XML alike, sized by its viewBox. */
export function renderSvg(frame: Frame, options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const { margin } = frame;
  const svg = Plot.plot({
    document,
    width: frame.width,
    height: frame.height,
    marginTop: margin.top,
    marginRight: margin.right,
    marginBottom: margin.bottom,
    marginLeft: margin.left,
    ...options,
  });
  svg.querySelector("style")?.remove();
  for (const name of ["class", "width", "height", "font-family", "font-size"]) svg.removeAttribute(name);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", frame.description);
  return serialize(svg);
}

/** Text of a node. linkedom's own leaves "<" in attributes alone, which XML forbids. */
function serialize(node: Element): string {
  const attributes = [...node.attributes].map(({ name, value }) => ` ${name}="${escapeText(tidy(value))}"`).join("");
  const children = [...node.childNodes]
    .map((child) => (child.nodeType === 1 ? serialize(child as Element) : escapeText(child.textContent ?? "")))
    .join("");
  return `<${node.localName}${attributes}>${children}</${node.localName}>`;
}

/** Coordinates to a tenth of a pixel: half the size of the file, and no difference to the eye. */
function tidy(value: string): string {
  return value.replace(/-?\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
}
