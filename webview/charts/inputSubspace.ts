import type { ChartConfiguration } from "chart.js";
import { isError } from "../../src/text/accuracy";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { curve, curvesOfRank, marker, type Curve } from "./curves";
import type { DrawnReport } from "./drawn";
import type { Point } from "./axes";
import { cumulativeEnergy, normDifference } from "./energy";
import type { Palette } from "./palette";
import { isAgreement } from "./rankSearch";

/**
 * What keeping k_S input directions does to a layer (paper, fig. 1b): the energy of the input that stays, the accuracy at
 * each k_S that the search tried as a share of the original's, and how far W P_S is from W. Null where there was no data.
 */
export function inputSubspace(
  report: DrawnReport,
  palette: Palette,
  index: number,
  words: ReportWords = REPORT_WORDS,
): ChartConfiguration<"line", Point[]> | null {
  const layer = report.layers[index];
  const { input, weightOnInput } = layer.spectra;
  if (!input) return null;
  return curvesOfRank(
    layer,
    palette,
    words,
    [
      curve(words.inputEnergy, cumulativeEnergy(input), palette.input),
      weightOnInput && curve(words.normDifference, normDifference(weightOnInput), palette.projected, [7, 3, 2, 3]),
      accuracyRatio(report, index, palette, words),
      // Accuracies lie along the top.
      marker("k_S", layer.kS, palette.input, "circle", "bottom"),
    ],
    { x: words.inputRankAxis, y: words.ratioAxis, full: layer.columns },
  );
}

/**
 * Accuracy with this layer's input projected alone, over the original's, or the error of the model's output; an estimate
 * where the evaluation stopped early.
 */
function accuracyRatio(
  { layers, accuracy }: DrawnReport,
  index: number,
  palette: Palette,
  words: ReportWords,
): Curve | null {
  const { samples, original, metric, answers } = accuracy;
  const tried = layers[index].search?.S ?? [];
  const errors = isError(metric);
  if (!samples || original === null || (original === 0 && !errors)) return null;
  const all = errors ? 1 : original * (answers ?? samples);
  const points = tried.flatMap(([k, result, , estimate]) => {
    const found = result ?? estimate;
    // An error of more than the whole output would press the other curves together.
    return found === undefined || (errors && found > 1) ? [] : [{ x: k, y: found / all }];
  });
  if (points.length === 0) return null;
  return {
    ...curve(
      errors ? words.errorOfOutput : isAgreement(metric) ? words.agreementRatio : words.accuracyRatio,
      points.sort((a, b) => a.x - b.x),
      palette.weight,
      [2, 3],
    ),
    borderWidth: 1.25,
    pointRadius: 4,
    pointHoverRadius: 6,
    pointStyle: "rectRot",
  };
}
