/** RNN, GRU and LSTM. */
import type { Dimension } from "../schema";
import { int, text, UNKNOWN, type ShapeRule } from "./context";
import { isSize } from "./dimensions";

const DIRECTIONS: ReadonlyMap<string | null, number> = new Map([
  ["forward", 1],
  ["reverse", 1],
  ["bidirectional", 2],
]);

/**
 * Y (steps×directions×batch×hidden), Y_h and, for LSTM, Y_c (directions×batch×hidden). With layout 1 (opset 14) the
 * batch comes first in X and in all outputs. R is directions×gates·hidden×hidden.
 */
export const recurrent: ShapeRule = ({ node, shape }) => {
  const [x, r] = [shape(0), shape(2)];
  const directions = DIRECTIONS.get(text(node, "direction", "forward"));
  const layout = int(node, "layout", 0);
  if (directions === undefined || (layout !== 0 && layout !== 1) || (x && x.length !== 3)) return UNKNOWN;
  const given = int(node, "hidden_size", undefined);
  if (given !== undefined && !isSize(given)) return UNKNOWN;
  const hidden: Dimension = given ?? (r?.length === 3 ? r[2] : null);
  const [first, second] = x ?? [null, null];
  const [steps, batch] = layout === 0 ? [first, second] : [second, first];
  const y = layout === 0 ? [steps, directions, batch, hidden] : [batch, steps, directions, hidden];
  const state = layout === 0 ? [directions, batch, hidden] : [batch, directions, hidden];
  return [y, state, state];
};
