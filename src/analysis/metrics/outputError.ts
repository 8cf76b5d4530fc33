import type { Metric } from "./metric";

/** ‖Y − Y′‖² / ‖Y‖² over all samples, against the original's own output: for whatever has no right answers. */
export const outputError: Metric = {
  name: "output-error",
  fit: () => ({ fits: true, why: "it has no scores for classes of samples or tokens" }),
  questions: null,
};
