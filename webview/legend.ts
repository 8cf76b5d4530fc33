import type { ChartDataset } from "chart.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 26;
const HEIGHT = 12;

type Dataset = ChartDataset;
/** How a data set looks in a legend. */
export interface Look {
  readonly stroke: string;
  readonly fill: string;
  readonly dash: readonly number[];
  readonly width: number;
  readonly symbol: string;
  readonly line: boolean;
}

/**
 * The legend of a chart as a list beside it: real text, that wraps, prints and can be read aloud; its samples show
 * dashes and shapes as the chart does, because colour alone says nothing.
 */
export function showLegend(list: HTMLElement, datasets: readonly Dataset[]): void {
  list.replaceChildren(
    ...datasets.map((dataset) => {
      const item = document.createElement("li");
      const text = document.createElement("span");
      text.append(...withSubscripts(dataset.label ?? ""));
      item.append(sample(look(dataset)), text);
      return item;
    }),
  );
}

/** "k_S = 7" as k, a lowered S, and the rest; likewise e_S(k) and P_S. */
export function withSubscripts(text: string): (string | HTMLElement)[] {
  return text.split(/(?<=\b[keP])(_[ST])\b/).map((part) => {
    if (part !== "_S" && part !== "_T") return part;
    const lowered = document.createElement("sub");
    lowered.textContent = part.slice(1);
    return lowered;
  });
}

/** The options that the charts here set on their datasets, as far as a sample needs them. */
export function look(dataset: Dataset): Look {
  const text = (value: unknown): string => (typeof value === "string" ? value : "none");
  const own = dataset as unknown as Readonly<Record<string, unknown>>;
  const styles: readonly unknown[] = Array.isArray(own["pointStyle"]) ? own["pointStyle"] : [own["pointStyle"]];
  return {
    stroke: text(own["borderColor"]),
    fill: text(own["backgroundColor"]),
    dash: Array.isArray(own["borderDash"]) ? (own["borderDash"] as number[]) : [],
    width: typeof own["borderWidth"] === "number" ? own["borderWidth"] : 1,
    symbol: text(styles.find((style) => style !== "crossRot")),
    line: own["pointStyle"] !== "rect",
  };
}

function sample({ stroke, fill, dash, width, symbol, line }: Look): SVGElement {
  const svg = shape("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  const middle = HEIGHT / 2;
  if (line) {
    const ends = { x1: 0, x2: WIDTH, y1: middle, y2: middle };
    svg.append(shape("line", { ...ends, stroke, "stroke-width": width, "stroke-dasharray": dash.join(" ") }));
  } else {
    svg.append(shape("rect", { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, fill, stroke }));
  }
  if (symbol === "circle") svg.append(shape("circle", { cx: WIDTH / 2, cy: middle, r: 4.5, fill: stroke }));
  if (symbol === "triangle") {
    const [x, y] = [WIDTH / 2, middle];
    svg.append(shape("path", { d: `M${x} ${y - 5}l5 9h-10z`, fill: stroke }));
  }
  if (symbol === "rectRot") {
    svg.append(shape("path", { d: `M${WIDTH / 2} ${middle - 5}l5 5l-5 5l-5-5z`, fill: stroke }));
  }
  return svg;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
