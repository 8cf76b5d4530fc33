import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Inspection } from "../../src/inspect";
import { weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { cnnLab, expectSuccess, newLab, type Lab } from "./lab";
import { cnnSpec, cnnWith, manySkipped, METADATA } from "./models";

async function inspected(lab: Lab, model: string): Promise<Inspection> {
  const outcome = await lab.run("inspect", model, "--json");
  expectSuccess(outcome);
  return JSON.parse(outcome.stdout) as Inspection;
}

describe("ranklens inspect", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await cnnLab();
    lab.write("skipped.onnx", manySkipped());
  });
  afterAll(() => lab.remove());

  it("gives JSON of what the file says of itself", async () => {
    const before = lab.files();
    const found = await inspected(lab, "model.onnx");
    expect(found.model).toEqual({
      path: lab.at("model.onnx"),
      bytes: modelBytes(cnnSpec()).length,
      irVersion: 8,
      opsets: { "": 15 },
      producer: "cli test 3.1",
      metadata: METADATA,
      nodes: 13,
      parameters: 16 * 27 + 16 + 16 * 72 + 16 + 16 * 9 + 256 + 80 + 5 + 96,
    });
    expect(found.inputs).toEqual([{ name: "images", type: "float32", shape: ["batch", 3, 8, 8] }]);
    expect(found.outputs).toEqual([
      { name: "scores", type: "float32", shape: ["batch", 5] },
      { name: "side_out", type: "float32", shape: ["batch", 6, 8, 8] },
    ]);
    expect(lab.files()).toEqual(before);
  });

  it("lists every layer with m, d, parameters and multiplications of one sample", async () => {
    const { layers, skipped } = await inspected(lab, "model.onnx");
    const layer = (name: string, op: string, groups: number, rows: number, columns: number, uses: string[], places: number) => ({
      name,
      op,
      nodes: uses.map((use) => `node_${use}`),
      initializer: name,
      groups,
      rows,
      columns,
      parameters: groups * rows * columns,
      macs: groups * rows * columns * places * uses.length,
    }); // prettier-ignore
    expect(layers).toEqual([
      layer("wide", "Conv", 1, 16, 27, ["a"], 64),
      layer("side", "Conv", 1, 6, 16, ["side_out"], 64),
      layer("grouped", "Conv", 2, 8, 72, ["b"], 64),
      layer("pointwise", "Conv", 1, 16, 16, ["d", "e"], 64),
      layer("head", "Gemm", 1, 5, 16, ["scores"], 1),
    ]);
    expect(skipped).toEqual([{ name: "node_c", op: "Conv", reason: expect.stringMatching(/^depthwise: /) as string }]);
  });

  it("shows the same as text", async () => {
    const outcome = await lab.run("inspect", "model.onnx");
    expectSuccess(outcome);
    const lines = outcome.stdout.split("\n");
    expect(outcome.stderr).toBe("");
    expect(lines[0]).toMatch(/^Model +\/.*model\.onnx, [\d,]+ bytes, 13 nodes$/);
    expect(lines[1]).toMatch(/^Format +IR 8, opset ai\.onnx 15; cli test 3\.1$/);
    expect(lines[2]).toMatch(/^Parameters +2,197$/);
    expect(outcome.stdout).toMatch(/^Inputs +images float32 \[batch, 3, 8, 8\]$/m);
    expect(outcome.stdout).toMatch(/^grouped +Conv +2·8×72 +1,152 +73\.7 k$/m);
    expect(outcome.stdout).toMatch(/^pointwise +Conv +16×16 +256 +32\.8 k +2 nodes$/m);
    expect(outcome.stdout).toMatch(/^head +Gemm +5×16 +80 +80$/m);
    expect(outcome.stdout).toMatch(/not analysed:\n {2}Conv node_c: depthwise: one output per group/);
    expect(lines.filter((line) => /\s$/.test(line) || line.length > 120)).toEqual([]);
  });

  it("shows the first of many inputs, says what is unknown, and why MACs are not counted", async () => {
    const many = Array.from({ length: 300 }, (_, i) => `cache_${i}`);
    lab.write(
      "many.onnx",
      modelBytes({
        nodes: [node("MatMul", ["cache_0", "w"], "y"), node("Relu", ["y"], "z")],
        initializers: [weight("w", [4, 4], 1)],
        inputs: many.map((name) => value(name, ["batch", "length", 4])),
        outputs: [untyped("z"), value("y", ["batch", "length", 4])],
      }),
    );
    const { stdout } = await lab.run("inspect", "many.onnx");
    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
    expect(lines.slice(3, 5)).toEqual(["Inputs      cache_0 float32 [batch, length, 4]", "            cache_1 float32 [batch, length, 4]"]); // prettier-ignore
    expect(lines[11]).toBe("            and 292 more (--json lists them all)");
    expect(lines[12]).toMatch(/^Outputs {5}z \(type unknown\) \[/);
    expect(stdout).toMatch(/^w +MatMul +4×4 +16 +–$/m);
    expect(stdout.match(/^– {2}MACs unknown without running the model: it leaves sizes open/gm)).toHaveLength(1);
    expect((await inspected(lab, "many.onnx")).inputs).toHaveLength(300);
    const { stdout: plain } = await lab.run("inspect", "model.onnx");
    expect(plain).not.toContain("–");
  });

  it("names a reason for every constant weight that it does not analyse", async () => {
    const { layers, skipped } = await inspected(lab, "skipped.onnx");
    expect(layers.map(({ name }) => name)).toEqual(["plain", "batched", "half"]);
    const reasons = Object.fromEntries(skipped.map(({ name, op, reason }) => [`${op} ${name}`, reason]));
    expect(reasons).toEqual({
      "Gather node_embedded": expect.stringMatching(/embedding/) as string,
      "MatMul node_c": expect.stringMatching(/computed from constants, by the Mul node_squared/) as string,
      "FusedDense node_e": expect.stringMatching(/com\.example\.FusedDense is not supported/) as string,
    });
    const { stdout } = await lab.run("inspect", "skipped.onnx");
    for (const { name, reason } of skipped) expect(stdout).toContain(`${name}: ${reason}`);
  });

  it("does not read weights: one that is not finite is no matter", async () => {
    lab.write("nan.onnx", cnnWith("grouped", 5, NaN));
    expect(await inspected(lab, "nan.onnx")).toMatchObject({ layers: (await inspected(lab, "model.onnx")).layers });
  });

  it("shows long and hostile names so that they stay apart and harmless", async () => {
    const names = newLab();
    const spec = cnnSpec();
    const prefix = "transformer/encoder/block/".repeat(4);
    const renamed = (name: string): string =>
      name === "wide" || name === "grouped" ? `${prefix}\u001b[31m${name}/kernel` : name;
    names.write("model.onnx", modelBytes({
      ...spec,
      nodes: spec.nodes.map((node) => ({ ...node, inputs: node.inputs.map(renamed) })),
      initializers: spec.initializers.map((tensor) => ({ ...tensor, name: renamed(tensor.name) })),
    })); // prettier-ignore
    const { stdout, stderr } = await names.run("inspect", "model.onnx");
    expect(stdout + stderr).not.toContain("\u001b");
    const rows = stdout.split("\n").filter((line) => / Conv /.test(line)).map((line) => line.split(/ {2,}/)[0]); // prettier-ignore
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.filter((row) => row.length > 60)).toEqual([]);
    names.remove();
  });
});
