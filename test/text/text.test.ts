import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headline } from "../../src/text/headline";
import { layerFacts, layerSummary, sizeText } from "../../src/text/layer";
import { measurement } from "../../src/text/measurement";
import { shortName, visible } from "../../src/text/names";
import { errorText, signedPoints } from "../../src/text/numbers";
import { REPORT_WORDS } from "../../src/text/reportWords";
import { counted, emphasized, fill } from "../../src/text/template";
import { energyReport, HOSTILE, layer, report, weightsReport } from "../html/report";

describe("templates", () => {
  it("put values in their places and nothing else", () => {
    expect(fill("{1} of {0}", "a", 2)).toBe("2 of a");
    // A value is no template.
    expect(fill("{0} {1}", "{1}", "$&")).toBe("{1} $&");
    expect(fill("{0} {1}", "a")).toBe("a {1}");
    expect(counted(1, "one", "{0} many")).toBe("one");
    expect(counted(1200, "one", "{0} many")).toBe("1,200 many");
    expect(emphasized("a {0} b", "x")).toEqual(["a ", { strong: "x" }, " b"]);
  });
});

describe("names", () => {
  it("stay on one short line without marks that move what is around them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => {
        const shown = shortName(name + HOSTILE);
        expect(shown.length).toBeLessThanOrEqual(52);
        // eslint-disable-next-line no-control-regex -- they are what is looked for
        expect(visible(name)).not.toMatch(/[\u0000-\u001f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      }),
    );
  });
});

describe("numbers", () => {
  it.each([
    [0, "0.0%"],
    [null, "–"],
    [0.05, "5.0%"],
    [2.5, "250%"],
    [0.000012, "1e-3%"],
  ])("an error of %s is %s", (value, text) => expect(errorText(value)).toBe(text));

  it.each([
    [-0.05, "−5.00"],
    [0.001, "+0.10"],
    [1e-9, "±0.00"],
  ])("a difference of %s is %s", (value, text) => expect(signedPoints(value)).toBe(text));
});

describe("a layer in words", () => {
  it("has its shape, rank, utilization and savings, or the reason that it is kept", () => {
    expect(layerSummary(layer("a"), REPORT_WORDS)).toEqual([
      "a",
      "Conv, 8×12",
      "utilized rank 3 of 8 (37.5%)",
      "saves 37.5% of the parameters, 37.5% of the MACs",
    ]);
    const kept = layer("a", { outcome: { kind: "kept", reason: "it would not be smaller ".repeat(20) } });
    expect(layerSummary(kept, REPORT_WORDS).at(-1)).toMatch(/^kept: it would.*….*smaller $/);
    expect(sizeText({ groups: 4, rows: 16, columns: 144 })).toBe("4·16×144");
  });

  it("has facts with the error beside its bound and the bands that one sample makes", () => {
    const facts = new Map(layerFacts(layer("a"), REPORT_WORDS));
    expect(facts.get("Output error")).toBe("5.0%, bound 250%");
    expect(facts.get("Output directions, k_T")).toBe("3 of 8, 90.00% of the energy (2–4 with one answer more or less)");
    expect(facts.get("Input directions, k_S")).toBe("5 of 12, 99.00% of the energy");
  });

  it("counts one thing as one", () => {
    const made = report([layer("a")]);
    const one = { ...made, accuracy: { ...made.accuracy, samples: 1 }, cost: { ...made.cost, evaluations: 1 } };
    const facts = new Map(measurement(one, REPORT_WORDS));
    expect(facts.get("Validated on")).toBe("1 sample");
    expect(facts.get("Time")).toBe("12 s, 1 evaluation");
    const [, accuracy] = headline(one, REPORT_WORDS);
    expect(accuracy.notes.at(-1)).toEqual(["1 validation sample"]);
  });

  it.each([
    ["searched", report([layer("a")])],
    ["by energy", energyReport()],
    ["by weights", weightsReport()],
    ["without layers", report([])],
  ])("and the report around it say nothing that was not measured: %s", (_, made) => {
    const said = [headline(made, REPORT_WORDS), measurement(made, REPORT_WORDS), made.layers.map((one) => layerFacts(one, REPORT_WORDS))];
    expect(JSON.stringify(said)).not.toMatch(/null%|NaN|undefined|someone|\{\d\}/);
  }); // prettier-ignore
});
