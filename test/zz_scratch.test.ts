import { it } from "vitest";
import { analyze } from "../src/analyze";
import { modelReportSchema } from "../src/report";
import { weight } from "./fixtures/data";
import { workspace } from "./fixtures/dataFiles";
import { modelBytes, node, untyped, value } from "./fixtures/model";
import { CLASSES, FEATURES } from "./fixtures/modelNetworks";

for (const batch of ["n", 8] as const)
  it(`data-independent layer ${batch}`, async () => {
    const bytes = modelBytes({
      nodes: [
        node("Tanh", ["pos"], "p"),
        node("MatMul", ["p", "v"], "q"),
        node("Add", ["x", "q"], "s"),
        node("MatMul", ["s", "w"], "y"),
      ],
      initializers: [weight("pos", [3, 4], 1), weight("v", [4, FEATURES], 2), weight("w", [FEATURES, CLASSES], 3)].map((w) => w.name === "pos" ? { ...w, dims: [1, 12].slice(0, 0).concat([3, 4]) } : w),
      inputs: [value("x", [batch, FEATURES])],
      outputs: [untyped("y")],
    });
    const b2 = modelBytes({
      nodes: [node("Tanh", ["pos"], "p"), node("MatMul", ["p", "v"], "q"), node("Add", ["x", "q"], "s"), node("MatMul", ["s", "w"], "y")],
      initializers: [weight("pos", [1, 4], 1), weight("v", [4, FEATURES], 2), weight("w", [FEATURES, CLASSES], 3)],
      inputs: [value("x", [batch, FEATURES])],
      outputs: [untyped("y")],
    });
    void bytes;
    const space = await workspace(b2, [FEATURES], { samples: batch === 8 ? 8 : 60 }).catch((e) => { console.log(String(e)); throw e; });
    const report = await analyze(space.model, { config: space.config });
    console.log(report.layers.map((l) => [l.name, l.macs, l.kS, l.kT, l.outputError]), report.warnings, modelReportSchema.safeParse(report).error?.issues);
    space.remove();
  });
