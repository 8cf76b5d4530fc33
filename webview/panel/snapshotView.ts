import { snapshot } from "../charts";
import { chartFigure } from "./chartFigure";
import { whenChanged, type Context, type View } from "./context";
import { element } from "./dom";
import type { ShownLayers } from "./rows";
import { throttled } from "./timing";

/** Milliseconds between two pictures while a run fills them in. */
const REDRAW = 250;

/** The utilization snapshot; a click on it opens a layer. */
export function snapshotView(context: Context, onOpen: (key: string) => void): View {
  const { strings, board } = context;
  const about = { id: "snapshot", title: strings.snapshot, about: strings.snapshotAbout, wide: true };
  const figure = chartFigure(context, about);
  const section = element("section", { hidden: true, "aria-label": strings.snapshot }, figure.element);
  let shown: { layers: ShownLayers; fileName: string } | null = null;
  board.onClick(figure.slot, (index) => {
    const row = shown?.layers.rows[index];
    if (row) onOpen(row.key);
  });
  const draw = throttled(REDRAW, () => {
    const { layers, fileName } = shown!;
    const { rows } = layers;
    figure.show((palette) => snapshot({ layers: rows }, palette, strings), strings.snapshotLabel, fileName);
  });
  const show = whenChanged((fileName: string, layers: ShownLayers) => {
    shown = { fileName, layers };
    section.hidden = layers.rows.every(({ measured }) => measured === null);
    if (!section.hidden) draw();
  });
  return { element: section, show: ({ fileName }, layers) => show(fileName, layers) };
}
