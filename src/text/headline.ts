import type { ModelReport } from "../report";
import { accuracyText, answersText, isError, metricName, perplexityText } from "./accuracy";
import type { UtilizationBar } from "./bar";
import type { ReportFigures } from "./layer";
import { byteSize, percent, short, signedPoints, thousands } from "./numbers";
import type { ReportWords } from "./reportWords";
import { counted, emphasized, fill, type Note } from "./template";

/** One headline figure: `before` → `value`. */
export interface Figure {
  readonly id: "mlu" | "mluOfWeights" | "accuracy" | "outputError" | "smallerLayers" | "parameters" | "macs" | "fileSize" | "latency" | "accuracyWritten" | "layersWritten"; // prettier-ignore
  readonly label: string;
  readonly before: string | null;
  readonly value: string;
  readonly unit: string | null;
  readonly bar: UtilizationBar | null;
  readonly notes: readonly Note[];
}

type Content = Pick<Figure, "id" | "label" | "value"> & Partial<Figure>;

function figure(content: Content): Figure {
  return { before: null, unit: null, bar: null, notes: [], ...content };
}

/** The headline of a report as a strip of large numbers. */
export function headline(report: ReportFigures, words: ReportWords): Figure[] {
  const { accuracy, compressed } = report;
  if (report.layers.length === 0) return [smallerLayers(report, words)];
  return [
    utilization(report, words),
    accuracy.original === null ? smallerLayers(report, words) : accuracyFigure(accuracy, accuracy.original, words),
    parameters(report, words),
    ...macs(report, words),
    ...(compressed ? written(report, compressed, words) : []),
  ];
}

function utilization({ totals }: ReportFigures, words: ReportWords): Figure {
  const { mlu, originalMlu } = totals;
  if (mlu === null) {
    return figure({
      id: "mluOfWeights",
      label: words.mluOfWeights,
      value: percent(originalMlu),
      bar: { share: originalMlu, mark: null, of: "weights" },
      notes: [[words.notMeasured]],
    });
  }
  return figure({
    id: "mlu",
    label: words.mlu,
    value: percent(mlu),
    bar: { share: mlu, mark: originalMlu, of: "data" },
    notes: [emphasized(words.byWeightsAlone, percent(originalMlu))],
  });
}

function accuracyFigure(accuracy: ModelReport["accuracy"], original: number, words: ReportWords): Figure {
  const { metric, decomposed, projected, perplexity } = accuracy;
  const text = (value: number | null): string => accuracyText(value, metric);
  const notes: Note[] = [];
  if (isError(metric)) notes.push([words.errorAsSmaller]);
  else if (decomposed !== null) notes.push([fill(words.asSmallerLayers, signedPoints(decomposed - original))]);
  if (projected !== null) notes.push([fill(words.allProjected, text(projected))]);
  const surprise = perplexityText(perplexity, words);
  if (surprise !== null) notes.push([surprise]);
  notes.push([answersText(accuracy, words)]);
  const values = isError(metric)
    ? { value: text(decomposed) }
    : change(text(original), decomposed === null ? null : text(decomposed));
  return figure({
    id: isError(metric) ? "outputError" : "accuracy",
    label: metricName(metric, words),
    ...values,
    notes,
  });
}

function smallerLayers({ layers, skipped, totals }: ReportFigures, words: ReportWords): Figure {
  const left: Note[] = skipped.length === 0 ? [] : [[counted(skipped.length, words.oneNodeLeft, words.nodesLeft)]];
  const count = thousands(layers.length);
  if (totals.mlu === null) {
    return figure({ id: "smallerLayers", label: words.layersAnalysed, value: count, notes: left });
  }
  const smaller = layers.filter(({ outcome }) => outcome.kind === "decomposed").length;
  return figure({
    id: "smallerLayers",
    label: words.smallerLayers,
    value: thousands(smaller),
    unit: fill(words.ofCount, count),
    notes: [[words.eachBecomesTwo], ...left],
  });
}

function parameters({ totals }: ReportFigures, words: ReportWords): Figure {
  const { parameters: before, parametersAfter: after, modelParameters, parametersRatio } = totals;
  const id = "parameters";
  const inLayers = counted(totals.layers, words.inOneLayer, words.inLayers);
  const whole = thousands(modelParameters);
  if (after === null) {
    return figure({ id, label: words.parameters, value: short(before), notes: [[inLayers], [fill(words.wholeModel, whole)]] });
  }
  return figure({
    id,
    label: words.parameters,
    ...change(short(before), short(after)),
    notes: [
      [...emphasized(words.remain, percent(parametersRatio)), ` ${inLayers}`],
      [fill(words.wholeModel, `${whole} → ${thousands(modelParameters - before + after)}`)],
    ],
  });
} // prettier-ignore

function macs({ totals, model, compressed }: ReportFigures, words: ReportWords): Figure[] {
  if (totals.macs === null) {
    // Without data the positions that a layer is applied to are not known.
    const notes: Note[] = [[fill(words.bytes, thousands(model.bytes))]];
    return compressed ? [] : [figure({ id: "fileSize", label: words.fileSize, value: byteSize(model.bytes), notes })];
  }
  const label = words.macs;
  if (totals.macsAfter === null) {
    const inLayers = counted(totals.layers, words.inOneLayer, words.inLayers);
    return [figure({ id: "macs", label, value: short(totals.macs), notes: [[inLayers]] })];
  }
  const notes = [emphasized(words.remain, percent(totals.macsRatio)), [words.multiplyAdds]];
  return [figure({ id: "macs", label, ...change(short(totals.macs), short(totals.macsAfter)), notes })];
} // prettier-ignore

/** What compress wrote and measured. */
function written(
  report: ReportFigures,
  compressed: NonNullable<ModelReport["compressed"]>,
  words: ReportWords,
): Figure[] {
  const { bytes, accuracy, latency, layersDecomposed } = compressed;
  const found = [
    figure({
      id: "fileSize",
      label: words.fileSize,
      ...change(byteSize(bytes.before), byteSize(bytes.after)),
      notes: [
        emphasized(words.remain, percent(bytes.after / bytes.before)),
        [fill(words.bytes, `${thousands(bytes.before)} → ${thousands(bytes.after)}`)],
      ],
    }),
  ];
  if (latency) {
    const { before, after } = latency.milliseconds;
    const ratio = emphasized(fill(words.latencyRatio, "{0}", latency.batch), `${latency.ratio.toFixed(2)}×`);
    found.push(
      figure({
        id: "latency",
        label: words.latency,
        ...change(before.toFixed(2), after.toFixed(2)),
        unit: "ms",
        notes: [ratio, [fill(words.pairedRuns, latency.runs)]],
      }),
    );
  }
  if (accuracy.before !== null) {
    const { before, after } = accuracy;
    const { metric } = report.accuracy;
    const errors = isError(metric);
    const difference: Note[] = errors || after === null ? [] : [[fill(words.points, signedPoints(after - before))]];
    const values = errors
      ? { value: accuracyText(after, metric) }
      : change(accuracyText(before, metric), after === null ? null : accuracyText(after, metric));
    const label = errors ? words.errorWritten : words.accuracyWritten;
    found.push(figure({ id: "accuracyWritten", label, ...values, notes: [...difference, [words.runAfresh]] }));
  }
  found.push(
    figure({
      id: "layersWritten",
      label: words.layersWritten,
      value: thousands(layersDecomposed),
      unit: fill(words.ofCount, thousands(report.layers.length)),
      notes: [[words.othersStay]],
    }),
  );
  return found;
}

/** Before → after, the latter being the one to read. */
function change(before: string, after: string | null): Pick<Figure, "before" | "value"> {
  return after === null ? { before: null, value: before } : { before, value: after };
}
