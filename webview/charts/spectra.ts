import type { ChartConfiguration } from "chart.js";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { curve, curvesOfRank, marker } from "./curves";
import type { DrawnReport } from "./drawn";
import type { Point } from "./axes";
import { cumulativeEnergy } from "./energy";
import type { Palette } from "./palette";

type Subject = Pick<DrawnReport, "layers">;
type Config = ChartConfiguration<"line", Point[]>;

/** Cumulative energy of X, Y, W and W′ of a layer against the rank, with k_S and k_T where they were found. */
export function spectra(
  { layers }: Subject,
  palette: Palette,
  index: number,
  words: ReportWords = REPORT_WORDS,
): Config {
  const layer = layers[index];
  const { input, output, weight, projected } = layer.spectra;
  const found = layer.kS !== null || layer.kT !== null;
  return curvesOfRank(layer, palette, words, [
    energy(words.inputX, input, palette.input),
    energy(words.outputY, output, palette.output, [9, 3]),
    // Where there is nothing to set it off from, the curve of the weights is the subject.
    input || output
      ? energy(words.weightsW, weight, palette.maximum, [2, 3])
      : energy(words.weightsW, weight, palette.weight),
    energy(words.projectedW, projected, palette.projected, [7, 3, 2, 3]),
    // On the input's curve k_S, on the output's k_T; without data, the weight rank.
    ...(found
      ? [marker("k_S", layer.kS, palette.input, "circle"), marker("k_T", layer.kT, palette.output, "triangle")]
      : [marker(words.weightRank, layer.weightRank, palette.weight, "rect")]),
  ]);
}

/** Cumulative energy of X and Y alone, with k_S and k_T. Null where there was no data. */
export function dataEnergy({ layers }: Subject, palette: Palette, index: number, words: ReportWords = REPORT_WORDS): Config | null {
  const layer = layers[index];
  const { input, output } = layer.spectra;
  if (!input && !output) return null;
  return curvesOfRank(layer, palette, words, [
    energy(words.inputX, input, palette.input),
    energy(words.outputY, output, palette.output, [9, 3]),
    marker("k_S", layer.kS, palette.input, "circle"),
    marker("k_T", layer.kT, palette.output, "triangle"),
  ]);
} // prettier-ignore

/** Cumulative energy of W and W′ (paper, fig. 1a): the data gathers what the weights spread. Marks both ranks. */
export function weightEnergy({ layers }: Subject, palette: Palette, index: number, words: ReportWords = REPORT_WORDS): Config {
  const layer = layers[index];
  const { weight, projected } = layer.spectra;
  return curvesOfRank(layer, palette, words, [
    energy(words.projectedW, projected, palette.utilized),
    energy(words.weightsW, weight, palette.weight, [2, 3]),
    marker(words.utilizedRank, layer.utilizedRank, palette.utilized, "circle"),
    marker(words.weightRank, layer.weightRank, palette.weight, "rect"),
  ]);
} // prettier-ignore

function energy(label: string, spectrum: ArrayLike<number> | null, colour: string, dash: number[] = []) {
  return spectrum && curve(label, cumulativeEnergy(spectrum), colour, dash);
}
