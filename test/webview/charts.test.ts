import type { ChartConfiguration, ChartDataset } from "chart.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dataEnergy,
  darkPalette,
  inputSubspace,
  lightPalette,
  rankSearch,
  snapshot,
  spectra,
  weightEnergy,
  type Palette,
} from "../../webview/charts";
import { cumulativeEnergy, normDifference } from "../../webview/charts/energy";
import { panelReport } from "../../src/editor/panelProtocol";
import type { LayerReport } from "../../src/report";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { compareValues } from "../../webview/sortableTable";
import { contrast } from "./contrast";
import { energyReport, layer, report, weightsReport } from "../html/report";

const small = report([
  layer("a"),
  layer("b", { rows: 4, columns: 3, weightRank: 3, utilizedRank: 2, utilization: 2 / 3 }),
]);

function labelled(config: ChartConfiguration<"line", unknown[]> | null, label: string): ChartDataset<"line", unknown[]> {
  const found = config?.data.datasets.find((dataset) => dataset.label?.startsWith(label));
  if (!found) throw new Error(`the chart has no ${label}`);
  return found;
} // prettier-ignore

/** A configuration as data: functions have no say in what is drawn of the same report. */
const plain = (config: unknown): unknown => JSON.parse(JSON.stringify(config));

describe("the utilization snapshot", () => {
  it("has the three ranks of every layer, in order", () => {
    const config = snapshot(small, lightPalette);
    expect(config.data.labels).toEqual(["1", "2"]);
    expect(labelled(config, "utilized rank").data).toEqual([3, 2]);
    expect(labelled(config, "weight rank").data).toEqual([8, 3]);
    expect(labelled(config, "maximum rank").data).toEqual([8, 3]);
    expect(labelled(config, "weight rank").borderDash).not.toEqual([]);
    expect(labelled(config, "utilized rank").borderDash).toBeUndefined();
  });

  it("has one value per layer in every line, however many there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (count) => {
        const layers = Array.from({ length: count }, (_, i) => layer(`layer ${i}`));
        const { data } = snapshot({ layers }, darkPalette);
        expect(data.labels).toHaveLength(count);
        for (const dataset of data.datasets) expect(dataset.data).toHaveLength(count);
      }),
      { numRuns: 20 },
    );
  });

  it("leaves the utilized rank out where it was not measured", () => {
    expect(snapshot(weightsReport(), lightPalette).data.datasets.map(({ label }) => label)).toEqual([
      "weight rank",
      "maximum rank, min(m, d)",
    ]);
  });
});

describe("a layer's spectra", () => {
  it("are cumulative, and end at the whole energy", () => {
    const config = spectra(small, lightPalette, 0);
    expect(labelled(config, "input X").data).toEqual([
      { x: 1, y: 0.6 },
      { x: 2, y: 0.9 },
      { x: 3, y: 1 },
      { x: 4, y: 1 },
      { x: 5, y: 1 },
    ]);
    expect(labelled(config, "output Y").data).toEqual([
      { x: 1, y: 0.75 },
      { x: 2, y: 1 },
    ]);
    expect(labelled(config, "projected W′").data).toHaveLength(3);
  });

  it("mark both ranks, and reach to the longer side", () => {
    const config = spectra(small, lightPalette, 0);
    expect(labelled(config, "k_S = 5").data.map((point) => (point as { x: number }).x)).toEqual([5, 5]);
    expect(labelled(config, "k_T = 3").data.map((point) => (point as { x: number }).x)).toEqual([3, 3]);
    expect(config.options!.scales!["x"]).toMatchObject({ type: "logarithmic", min: 1, max: 12 });
  });

  it("are those of the weights, with their rank, where there was no data", () => {
    const labels = spectra(weightsReport(), lightPalette, 1).data.datasets.map(({ label }) => label);
    expect(labels).toEqual(["weights W", "weight rank = 8"]);
  });

  it("never fall, stay within the whole, and keep to a number of points", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e-12, max: 1e12, noNaN: true }), { maxLength: 3000 }), (spectrum) => {
        const points = cumulativeEnergy(spectrum);
        expect(points.length).toBeLessThanOrEqual(Math.min(spectrum.length, 400));
        points.forEach(({ x, y }, i) => {
          expect(y).toBeLessThanOrEqual(1);
          if (i > 0) expect(x > points[i - 1].x && y >= points[i - 1].y).toBe(true);
        });
        if (spectrum.some((value) => value > 0)) {
          expect(points[0].x).toBe(1);
          expect(points.at(-1)!.x).toBe(spectrum.length);
          expect(points.at(-1)!.y).toBeCloseTo(1, 9);
        }
      }),
    );
  });
});

describe("a layer's rank search", () => {
  it("shows every evaluation by rank: when, how good, and enough or not", () => {
    const config = rankSearch(small, lightPalette, 0);
    expect(labelled(config, "k_S tried").data).toEqual([
      { x: 3, y: 0.6, step: 2, passed: false, stoppedEarly: false },
      // What stopped early, without an estimate, is known only to be below what was needed.
      { x: 4, y: 0.79, step: 4, passed: false, stoppedEarly: true },
      { x: 5, y: 0.8, step: 3, passed: true, stoppedEarly: false },
      { x: 6, y: 0.8, step: 1, passed: true, stoppedEarly: false },
    ]);
    expect(labelled(config, "k_S tried")).toMatchObject({ pointStyle: ["circle", "crossRot", "circle", "circle"] });
    expect(labelled(config, "then k_T").data).toHaveLength(3);
  });

  it("shows the estimate of what stopped early, as about that", () => {
    const search = {
      S: [
        [6, null, true, 81],
        [3, null, false, 60],
      ],
      T: [],
    } as unknown as LayerReport["search"];
    const estimated = report([layer("a", { kS: 6, search })]);
    const config = rankSearch(estimated, lightPalette, 0)!;
    expect(labelled(config, "k_S tried").data).toEqual([
      { x: 3, y: 0.6, step: 2, passed: false, stoppedEarly: true },
      { x: 6, y: 0.81, step: 1, passed: true, stoppedEarly: true },
    ]);
    const ratios = labelled(inputSubspace(estimated, lightPalette, 0), "accuracy / original").data;
    expect(ratios).toEqual([
      { x: 3, y: expect.closeTo(0.75, 12) as number },
      { x: 6, y: expect.closeTo(81 / 80, 12) as number },
    ]);
    const label = config.options!.plugins!.tooltip!.callbacks!.label! as (item: unknown) => string;
    const [first] = config.data.datasets[0].data;
    expect(label({ datasetIndex: 0, raw: first })).toBe(" k_S = 3: about 60.0%, stopped early, too few right (step 2)");
  });

  it("shows what was needed: one line, or two where the drop of k_T counts from k_S", () => {
    expect(labelled(rankSearch(small, lightPalette, 0), "needed 79.00%")).toBeDefined();
    const search = { S: [[6, 85, true]], T: [] } as { S: [number, number, boolean][]; T: [] };
    const previous = report([layer("a", { kS: 6, search })]);
    previous.settings.baseline = "previous";
    const config = rankSearch(previous, lightPalette, 0);
    expect(labelled(config, "needed for k_S 79.00%")).toBeDefined();
    expect(labelled(config, "for k_T 84.00%")).toBeDefined();
  });

  it("is not drawn where there was none", () => {
    expect(rankSearch(energyReport(), lightPalette, 0)).toBeNull();
    expect(rankSearch(weightsReport(), lightPalette, 0)).toBeNull();
  });
});

describe("what keeping k_S input directions does", () => {
  it("is the energy that stays, the accuracy over the original's where it was counted, and how far W moves", () => {
    const config = inputSubspace(small, lightPalette, 0);
    expect(labelled(config, "energy of the input").data).toEqual(labelled(spectra(small, lightPalette, 0), "input X").data);
    // 4 stopped early: its accuracy is not known.
    expect(labelled(config, "accuracy / original").data).toEqual([
      { x: 3, y: expect.closeTo(0.75, 12) as number },
      { x: 5, y: 1 },
      { x: 6, y: 1 },
    ]);
    const left = labelled(config, "‖W − W P_S‖ / ‖W‖").data as { x: number; y: number }[];
    expect(left.map(({ y }) => y)).toEqual([0.5, 0.25, 0.125, 0.025, 0].map((share) => expect.closeTo(Math.sqrt(share), 12) as number));
    expect(labelled(config, "k_S = 5").data).toHaveLength(2);
  });

  it("says nothing of accuracy without a search, and is not drawn without data", () => {
    const labels = inputSubspace(energyReport(), lightPalette, 0)!.data.datasets.map(({ label }) => label);
    expect(labels).not.toContain("accuracy / original");
    expect(inputSubspace(weightsReport(), lightPalette, 0)).toBeNull();
    expect(dataEnergy(weightsReport(), lightPalette, 0)).toBeNull();
  });

  it("falls from below 1 to 0, whatever the energies", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 1500 }), (energies) => {
        const points = normDifference(energies);
        points.forEach(({ y }, i) => expect(y >= 0 && y <= (points[i - 1]?.y ?? 1)).toBe(true));
        if (points.length > 0) expect(points.at(-1)!.y).toBeLessThan(1e-6);
      }),
    );
  });
}); // prettier-ignore

describe("charts", () => {
  it("are the same of typed arrays and of plain ones", () => {
    const typed = panelReport(small);
    for (const chart of [spectra, weightEnergy, dataEnergy, inputSubspace, rankSearch]) {
      expect(plain(chart(typed, lightPalette, 0))).toEqual(plain(chart(small, lightPalette, 0)));
    }
  });

  it("shade the ranks that one sample would make, and only those", () => {
    const labels = rankSearch(small, lightPalette, 0)!.data.datasets.map(({ label }) => label);
    expect(labels).toContain("k_T with one answer more or less: 2–4");
    expect(labels.some((label) => label?.startsWith("k_S with"))).toBe(false);
  });

  it("speak the language that they are given", () => {
    const words = Object.fromEntries(Object.keys(REPORT_WORDS).map((key) => [key, `<${key}>`])) as ReportWords;
    const charts = [spectra(small, lightPalette, 0, words), weightEnergy(small, lightPalette, 0, words), inputSubspace(small, lightPalette, 0, words), rankSearch(small, lightPalette, 0, words)];
    for (const chart of charts) {
      const own = chart!.data.datasets.map(({ label }) => label!.replace(/k_[ST]|[\d.%= ]/g, "")).filter(Boolean);
      for (const label of own) expect(label).toMatch(/^<\w+>$/);
    }
  }); // prettier-ignore

  it("are the same for the same report, and leave it as it is", () => {
    const before = structuredClone(small);
    const draw = (palette: Palette): unknown =>
      plain([snapshot(small, palette), spectra(small, palette, 0), rankSearch(small, palette, 0)]);
    expect(draw(lightPalette)).toEqual(draw(lightPalette));
    expect(draw(darkPalette)).not.toEqual(draw(lightPalette));
    expect(small).toEqual(before);
  });

  it.each([
    ["light", lightPalette],
    ["dark", darkPalette],
  ])("stand out from the %s surface", (_, palette) => {
    const { surface, text, muted, weight, utilized, input, output, projected, maximum } = palette;
    for (const ink of [text, muted]) expect(contrast(ink, surface)).toBeGreaterThan(4.5);
    for (const line of [weight, utilized, input, output, projected, maximum]) {
      expect(contrast(line, surface)).toBeGreaterThan(3);
    }
  });
});

describe("the table's order", () => {
  it("is that of numbers, of text by its numbers, and ends with what has no value", () => {
    type Value = number | string | null;
    const sorted = (values: Value[], sign: 1 | -1): Value[] => values.sort((a, b) => compareValues(a, b, sign));
    expect(sorted([10, null, 9, 1e-3], 1)).toEqual([1e-3, 9, 10, null]);
    expect(sorted([10, null, 9, 1e-3], -1)).toEqual([10, 9, 1e-3, null]);
    expect(sorted(["conv10", "conv9"], 1)).toEqual(["conv9", "conv10"]);
    expect(sorted(["conv9", "conv10"], -1)).toEqual(["conv10", "conv9"]);
  });
});
