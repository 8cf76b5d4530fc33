import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { floats, weight } from "../fixtures/data";
import { modelBytes, node, untyped, value, type ModelSpec } from "../fixtures/model";
import { expectRefusal, expectSuccess, newLab, type Lab } from "./lab";

const SAMPLES = 20;

/** x → MatMul → (something) → MatMul → y, of 5 classes. */
function between(middle: ReturnType<typeof node>, change: Partial<ModelSpec> = {}): Uint8Array {
  return modelBytes({
    nodes: [node("MatMul", ["x", "w"], "a"), middle, node("MatMul", ["b", "v"], "y")],
    initializers: [weight("w", [8, 8], 1), weight("v", [8, 5], 2)],
    inputs: [value("x", ["n", 8])],
    outputs: [untyped("y")],
    ...change,
  });
}

describe("a model that onnxruntime cannot run on the data", () => {
  let lab: Lab;
  beforeAll(() => {
    lab = newLab();
    lab.array("x.npy", "float32", [SAMPLES, 8], floats(SAMPLES * 8, 3));
    lab.array("narrow.npy", "float32", [SAMPLES, 7], floats(SAMPLES * 7, 3));
    lab.array("tiny.npy", "float32", [SAMPLES, 3, 2, 2], floats(SAMPLES * 12, 3));
    const relu = node("Relu", ["a"], "b");
    lab.write("domain.onnx", between(node("FusedDense", ["a"], "b", {}, { domain: "com.example" }), { domains: { "com.example": 1 } })); // prettier-ignore
    lab.write("operator.onnx", between(node("Bogus", ["a"], "b")));
    lab.write("opset.onnx", between(relu, { opset: 99 }));
    lab.write("ir.onnx", between(relu, { irVersion: 99 }));
    lab.write("free.onnx", between(relu, { inputs: [value("x", ["n", "t"])] }));
    lab.write("unknown.onnx", between(relu, { inputs: [value("x", null)] }));
    lab.write("fixed.onnx", between(relu, { inputs: [value("x", [16, 8])] }));
    lab.write(
      "conv.onnx",
      modelBytes({
        nodes: [node("Conv", ["x", "k"], "a"), node("GlobalAveragePool", ["a"], "p"), node("Flatten", ["p"], "f"), node("MatMul", ["f", "v"], "y")], // prettier-ignore
        initializers: [weight("k", [8, 3, 3, 3], 1), weight("v", [8, 5], 2)],
        inputs: [value("x", ["n", 3, "height", "width"])],
        outputs: [untyped("y")],
      }),
    );
  });
  afterAll(() => lab.remove());

  const WEIGHTS = "or look at the weights alone (analyze --weights-only).";
  const SIZES = "Check that the data has the sizes that the model was made for.";
  it.each<[string, string, string, ...(string | RegExp)[]]>([
    [
      "an operator of an unknown domain",
      "domain.onnx",
      "x.npy",
      "it does not know the operator FusedDense of the domain com.example. Export",
      WEIGHTS,
    ],
    [
      "an unknown operator",
      "operator.onnx",
      "x.npy",
      /could not be loaded by onnxruntime: it does not know the operator Bogus in opset 17\. Export/,
      WEIGHTS,
    ],
    [
      "an opset that is too new",
      "opset.onnx",
      "x.npy",
      /the model is of opset 99 of ai\.onnx, and at most \d+ is supported/,
      WEIGHTS,
    ],
    [
      "an IR version that is too new",
      "ir.onnx",
      "x.npy",
      /the model is of IR version 99, and at most \d+ is supported/,
      WEIGHTS,
    ],
    [
      "a free size that the data gives wrongly",
      "free.onnx",
      "narrow.npy",
      'could not be run by onnxruntime on x [1, 7]: its MatMul node "node_a" failed: MatMul dimension mismatch',
      SIZES,
    ],
    [
      "no shape at all, and data that does not fit",
      "unknown.onnx",
      "narrow.npy",
      "on x [1, 7]: its MatMul node",
      SIZES,
    ],
    [
      "images that are smaller than its kernels",
      "conv.onnx",
      "tiny.npy",
      /on x \[1, 3, 2, 2\]: its Conv node "\S+" failed: Invalid input shape: \{2,2\}/,
      SIZES,
    ],
    [
      "free sizes, and data of another rank",
      "conv.onnx",
      "x.npy",
      "takes [N,3,height,width]; x.npy gives [N,8]; save the samples in the shape that the model takes",
    ],
  ])("is refused in one line where it has %s", async (_, model, source, ...parts) => {
    lab.json("config.json", { calibration: { source } });
    const before = lab.files();
    const config = ["--config", "config.json"];
    expectRefusal(await lab.run("analyze", model, ...config, "-r", "report.json"), ...parts);
    expectRefusal(await lab.run("compress", model, ...config, "-o", "small.onnx"), ...parts);
    expect(lab.files()).toEqual(before);
    expectSuccess(await lab.run("inspect", model));
    expectSuccess(await lab.run("analyze", model, "--weights-only"));
  });

  it("where its batch is fixed: takes what fills batches, and says what is too little or left over", async () => {
    const data = (limit: number): object => ({ source: "x.npy", limit });
    lab.json("config.json", { calibration: data(15), validation: { source: "x.npy" } });
    const args = ["fixed.onnx", "--config", "config.json"];
    const message = /fixed\.onnx takes batches of exactly 16 samples; the calibration data has 15\. Use at least 16\.$/;
    expectRefusal(await lab.run("analyze", ...args), message);
    expectRefusal(await lab.run("compress", ...args, "-o", "small.onnx"), message);
    // Validation is filled up instead: 20 samples are two batches.
    lab.json("config.json", { calibration: data(20), validation: { source: "x.npy" } });
    const outcome = await lab.run("analyze", ...args);
    expectSuccess(outcome);
    expect(outcome.stdout).toMatch(/^Agreement with itself .* 20 samples$/m);
    expect(outcome.stdout).toContain("Warning: The model takes batches of exactly 16 samples: 4 of 20 calibration samples are left over and not used."); // prettier-ignore
  });
});
