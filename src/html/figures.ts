import { percent, short, thousands } from "../cli/format";
import type { ModelReport } from "../report";
import { bar } from "./bar";
import { markup, type Markup } from "./markup";

/** One headline figure. */
interface Figure {
  readonly label: string;
  readonly value: Markup;
  readonly notes: readonly (string | Markup)[];
}

/** The headline of a report as a strip of large numbers. */
export function figures(report: ModelReport): Markup {
  const { accuracy, compressed } = report;
  const shown = [
    utilization(report),
    accuracy.original === null ? smallerLayers(report) : accuracyFigure(report),
    parameters(report),
    ...macs(report),
    ...(compressed ? written(report, compressed) : []),
  ];
  return markup`<dl class="figures">${shown.map(
    ({ label, value, notes }) => markup`
<div><dt>${label}</dt><dd class="value">${value}</dd>${notes.map((note) => markup`<dd class="note">${note}</dd>`)}</div>`,
  )}
</dl>`;
}

function utilization({ totals }: ModelReport): Figure {
  const { mlu, originalMlu } = totals;
  const picture = mlu === null ? bar(originalMlu, null, "weights") : bar(mlu, originalMlu);
  if (mlu === null) {
    return {
      label: "Mean layer utilization, by the weights",
      value: markup`${percent(originalMlu)}`,
      notes: [picture, "what the data uses was not measured"],
    };
  }
  return {
    label: "Mean layer utilization (MLU)",
    value: markup`${percent(mlu)}`,
    notes: [picture, markup`<strong>${percent(originalMlu)}</strong> by the weights alone`],
  };
}

function accuracyFigure({ accuracy }: ModelReport): Figure {
  const { metric, samples, original, decomposed, projected } = accuracy;
  const notes: Markup[] = [];
  if (original !== null && decomposed !== null) notes.push(markup`${points(decomposed - original)} as smaller layers`);
  if (projected !== null) notes.push(markup`${percent(projected, 2)} with every layer projected`);
  notes.push(markup`${thousands(samples ?? 0)} validation samples`);
  return {
    label: metric === "agreement" ? "Agreement with the original" : "Accuracy (top-1)",
    value: change(percent(original, 2), decomposed === null ? null : percent(decomposed, 2)),
    notes,
  };
}

/** "−21.95 points" */
export function points(difference: number): string {
  const shown = Math.abs(100 * difference).toFixed(2);
  return `${Number(shown) === 0 ? "±" : difference < 0 ? "−" : "+"}${shown} points`;
}

function smallerLayers({ layers, skipped, totals }: ModelReport): Figure {
  const smaller = layers.filter(({ outcome }) => outcome.kind === "decomposed").length;
  const left = skipped.length === 0 ? [] : [`${thousands(skipped.length)} nodes not analysed`];
  return totals.mlu === null
    ? { label: "Layers analysed", value: markup`${thousands(layers.length)}`, notes: left }
    : {
        label: "Layers that get smaller",
        value: markup`${thousands(smaller)} <small>of ${thousands(layers.length)}</small>`,
        notes: ["each becomes two layers of its rank", ...left],
      };
}

function parameters({ totals }: ModelReport): Figure {
  const { parameters: before, parametersAfter: after, modelParameters, parametersRatio } = totals;
  const whole = thousands(modelParameters);
  if (after === null) {
    return { label: "Parameters", value: markup`${short(before)}`, notes: [inLayers(totals), `whole model ${whole}`] };
  }
  return {
    label: "Parameters",
    value: change(short(before), short(after)),
    notes: [
      markup`<strong>${percent(parametersRatio)}</strong> remain ${inLayers(totals)}`,
      `whole model ${whole} → ${thousands(modelParameters - before + after)}`,
    ],
  };
}

function inLayers({ layers }: ModelReport["totals"]): string {
  return layers === 1 ? "in 1 analysed layer" : `in ${thousands(layers)} analysed layers`;
}

function macs({ totals, model, compressed }: ModelReport): Figure[] {
  const label = "MACs per sample";
  if (totals.macs === null) {
    // Without data the positions that a layer is applied to are not known.
    const size = {
      label: "File size",
      value: markup`${short(model.bytes)}B`,
      notes: [`${thousands(model.bytes)} bytes`],
    };
    return compressed ? [] : [size];
  }
  if (totals.macsAfter === null) return [{ label, value: markup`${short(totals.macs)}`, notes: [inLayers(totals)] }];
  return [
    {
      label,
      value: change(short(totals.macs), short(totals.macsAfter)),
      notes: [markup`<strong>${percent(totals.macsRatio)}</strong> remain`, "multiply–adds of the analysed layers"],
    },
  ];
}

/** What compress wrote and measured. */
function written(report: ModelReport, compressed: NonNullable<ModelReport["compressed"]>): Figure[] {
  const { bytes, accuracy, latency, layersDecomposed } = compressed;
  const found: Figure[] = [
    {
      label: "File size",
      value: change(`${short(bytes.before)}B`, `${short(bytes.after)}B`),
      notes: [
        markup`<strong>${percent(bytes.after / bytes.before)}</strong> remain`,
        `${thousands(bytes.before)} → ${thousands(bytes.after)} bytes`,
      ],
    },
  ];
  if (latency) {
    const { before, after } = latency.milliseconds;
    found.push({
      label: "Latency",
      value: markup`${change(before.toFixed(2), after.toFixed(2))} <small>ms</small>`,
      notes: [
        markup`<strong>${latency.ratio.toFixed(2)}×</strong> the time, batch of ${latency.batch}`,
        `median of ${latency.runs} paired runs`,
      ],
    });
  }
  if (accuracy.before !== null) {
    const difference = accuracy.after === null ? [] : [points(accuracy.after - accuracy.before)];
    found.push({
      label: "Accuracy of the written file",
      value: change(percent(accuracy.before, 2), accuracy.after === null ? null : percent(accuracy.after, 2)),
      notes: [...difference, "both files run afresh"],
    });
  }
  found.push({
    label: "Layers written as two",
    value: markup`${thousands(layersDecomposed)} <small>of ${thousands(report.layers.length)}</small>`,
    notes: ["the others stay as they were"],
  });
  return found;
}

/** Before → after, the latter being the one to read. */
export function change(before: string, after: string | null): Markup {
  return after === null
    ? markup`${before}`
    : markup`<span class="before">${before}</span> <span class="arrow">→</span> ${after}`;
}
