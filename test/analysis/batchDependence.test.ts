import { afterEach, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { weight } from "../fixtures/data";
import { workspace, type Workspace } from "../fixtures/dataFiles";
import { modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

/** A network on [n, 1, 4] that begins with some nodes from "x" to "h", of 5 places, and ends in the scores of 5 classes. */
function network(nodes: readonly TestNode[]): Uint8Array {
  return modelBytes({
    nodes: [...nodes, node("Flatten", ["h"], "flat"), node("MatMul", ["flat", "v"], "y")],
    initializers: [weight("w", [4, 5], 1), weight("W", [1, 20, 4], 2), weight("R", [1, 20, 5], 3), weight("v", [5, 5], 4)],
    inputs: [value("x", ["n", 1, 4])],
    outputs: [untyped("y")],
  }); // prettier-ignore
}

const TIME_FIRST = network([{ ...node("LSTM", ["x", "W", "R"], "h", { hidden_size: 5 }), outputs: ["h"] }]);
const SAMPLES_FIRST = network([node("MatMul", ["x", "w"], "m"), node("Relu", ["m"], "h")]);

describe("samples that change one another's outputs", () => {
  let space: Workspace | undefined;
  afterEach(() => space?.remove());

  it.each([
    ["a recurrent network that takes time first is warned of", TIME_FIRST, 1],
    ["others are not", SAMPLES_FIRST, 0],
  ])("%s", async (_, bytes, count) => {
    space = await workspace(bytes, [1, 4]);
    const { calibration } = space.config;
    const { warnings } = await analyze(space.model, { config: { calibration: calibration! }, energy: 0.9 });
    expect(warnings.filter((text) => /samples of a batch change one another/.test(text))).toHaveLength(count);
  });
});
