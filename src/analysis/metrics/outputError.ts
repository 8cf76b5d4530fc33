import type { Metric } from "./metric";

/** ‖Y − Y′‖² / ‖Y‖² over all samples, against the original's own output: for whatever has no right answers. */
export const outputError: Metric = {
  name: "output-error",
  fit: () => ({ fits: true, why: "it has no scores of classes, nor of tokens at each position" }),
  questions: null,
};
