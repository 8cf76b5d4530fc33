import { mkdirSync, mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs"; // prettier-ignore
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ExpectedError } from "../../src/errors";
import { inspect } from "../../src/inspect";
import { LEAST_EXTERNAL_BYTES } from "../../src/onnx/dataFile";
import { readFloats } from "../../src/onnx/elements";
import { checkExternalTensors } from "../../src/onnx/externalData";
import { externalTensors } from "../../src/onnx/externalTensors";
import { openModel, type OpenModel } from "../../src/onnx/reader";
import { stageEditedModel } from "../../src/onnx/writer";
import { createSession } from "../../src/runtime/session";
import { floats, runModel, tensor, weight } from "../fixtures/data";
import { externalFields } from "../../src/onnx/encode";
import {
  messageField,
  modelBytes,
  node,
  numberField,
  tensorField,
  untyped,
  value,
  type ModelSpec,
} from "../fixtures/model";
import { writeHole, writeSparseModel } from "../fixtures/modelSparse";
import { checkOnnx, hasOnnx } from "../onnxChecker";

const GIB = 2 ** 30;
const scratch: string[] = [];
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-large-"));
  scratch.push(folder);
});
afterAll(() => scratch.forEach((each) => rmSync(each, { recursive: true, force: true })));

async function opened<T>(file: string, use: (model: OpenModel) => T | Promise<T>): Promise<T> {
  const model = openModel(file);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

describe("a file of more than 4 GiB", () => {
  // 23,200² float32 are 2.005 GiB: more than 31 bits can count. The second ends behind 4 GiB.
  const SIZE = 23_200;
  const data = floats(8, 1);
  const tail = tensorField("last", [2, 4], "float32", [messageField(9, new Uint8Array(data.buffer))]);

  it("is read to its last initializer, its large ones skipped", async () => {
    const file = path.join(folder, "large.onnx");
    const { weightBytes } = writeSparseModel(file, 2, SIZE, undefined, tail);
    expect(weightBytes / 2).toBeGreaterThan(2 * GIB);
    expect(statSync(file).size).toBeGreaterThan(4 * GIB);
    expect(inspect(file).layers.map(({ name, columns }) => [name, columns])).toEqual([["w0", SIZE], ["w1", SIZE]]); // prettier-ignore
    await opened(file, (model) => {
      expect(model.bytes).toBe(statSync(file).size);
      const { initializers } = model.graph;
      expect(initializers.get("w1")?.payload).toMatchObject({ kind: "raw" });
      expect(readFloats(model.wire, initializers.get("last")!)).toEqual(data);
    });
  });

  it("may hold external data, which is read, and copied, from behind 4 GiB", async () => {
    const weights = path.join(folder, "weights.bin");
    const offset = 4.5 * GIB;
    writeHole(weights, 5 * GIB);
    const descriptor = openSync(weights, "r+");
    const elements = floats(400, 2);
    writeSync(descriptor, new Uint8Array(elements.buffer), 0, 1600, offset);
    closeSync(descriptor);
    const place = externalFields({ location: "weights.bin", offset, length: 1600 });
    const bytes = modelBytes({
      nodes: [node("MatMul", ["x", "w"], "y")],
      inputs: [value("x", ["n", 20])],
      outputs: [untyped("y")],
      extra: [tensorField("w", [20, 20], "float32", [place, numberField(14, 1)])],
    });
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, bytes);
    const elsewhere = path.join(folder, "elsewhere");
    mkdirSync(elsewhere);
    await opened(file, (model) => {
      expect(readFloats(model.wire, model.graph.initializers.get("w")!)).toEqual(elements);
      stageEditedModel(model, {}, path.join(elsewhere, "copy.onnx"), { force: false }).commit();
    });
    expect(statSync(path.join(elsewhere, "copy.onnx.data")).size).toBe(1600);
    await opened(path.join(elsewhere, "copy.onnx"), (model) => {
      expect(readFloats(model.wire, model.graph.initializers.get("w")!)).toEqual(elements);
    });
  });
});

it("external data may lie in any number of files, which do not stay open", async () => {
  const COUNT = 2000;
  const extra = Array.from({ length: COUNT }, (_, i) => {
    writeFileSync(path.join(folder, `w${i}.bin`), new Uint8Array(Float32Array.of(i).buffer));
    const place = externalFields({ location: `w${i}.bin`, offset: 0, length: 4 });
    return tensorField(`w${i}`, [1], "float32", [place, numberField(14, 1)]);
  });
  const file = path.join(folder, "model.onnx");
  writeFileSync(file, modelBytes({ nodes: [], outputs: [], extra }));
  await opened(file, (model) => {
    const tensors = externalTensors(model);
    expect(tensors).toHaveLength(COUNT);
    checkExternalTensors(model.wire.source, tensors);
    const before = openFiles();
    for (const [i, each] of tensors.entries()) expect(readFloats(model.wire, each)).toEqual(Float32Array.of(i));
    expect(openFiles()).toBe(before);
  });
});

/** Files that this process has open (Linux; elsewhere 0). */
function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

describe("a model that would have more than a protobuf message can", () => {
  const [w, big, listed] = [weight("w", [20, 30], 1), weight("big", [30, 20], 2), floats(400, 3)];
  const small = weight("bias", [20], 4);
  const spec: ModelSpec = {
    nodes: [
      node("MatMul", ["x", "w"], "a"),
      node("MatMul", ["a", "big"], "b"),
      node("MatMul", ["b", "listed"], "c"),
      node("Add", ["c", "bias"], "y"),
    ],
    inputs: [value("x", ["n", 20])],
    outputs: [value("y", ["n", 20])],
  };
  const asFloatData = tensorField("listed", [20, 20], "float32", [messageField(4, new Uint8Array(listed.buffer))]);
  const bytes = modelBytes({ ...spec, initializers: [w, big, small], extra: [asFloatData] });
  /** Room for the structure, and no weight. */
  const mostBytes = 1000;
  const replaced = weight("w", [20, 30], 5);

  it("has its weights in TARGET.data, and is valid", async () => {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, bytes);
    const target = path.join(folder, "written.onnx");
    await opened(file, (model) => {
      stageEditedModel(model, { addInitializers: [replaced] }, target, { force: false, mostBytes }).commit();
    });
    expect(readdirSync(folder).sort()).toEqual(["model.onnx", "written.onnx", "written.onnx.data"]);
    expect(statSync(target).size).toBeLessThan(mostBytes);
    await opened(target, (model) => {
      const { initializers } = model.graph;
      const data = (name: string) => readFloats(model.wire, initializers.get(name)!);
      expect([data("w"), data("big"), data("listed")]).toEqual([replaced.data, big.data, listed]);
      const external = externalTensors(model);
      expect(external.map(({ name }) => name).sort()).toEqual(["big", "listed", "w"]);
      for (const { payload } of external) expect(payload.location).toBe("written.onnx.data");
      // What is small stays.
      expect(20 * 4).toBeLessThan(LEAST_EXTERNAL_BYTES);
      expect(initializers.get("bias")?.payload.kind).toBe("raw");
    });
    const x = tensor([3, 20], 6);
    const session = await createSession(target, target);
    const expected = modelBytes({ ...spec, initializers: [replaced, big, small, { name: "listed", dims: [20, 20], data: listed }] }); // prettier-ignore
    expect((await session.run(new Map([["x", x]]))).get("y")).toEqual((await runModel(expected, { x })).get("y"));
    await session.release();
    if (hasOnnx()) checkOnnx(target);
  });

  it("is refused where even its structure is too much, and leaves nothing", async () => {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, bytes);
    const target = path.join(folder, "written.onnx");
    await opened(file, (model) => {
      const write = () => stageEditedModel(model, {}, target, { force: false, mostBytes: 100 });
      expect(write).toThrow(ExpectedError);
      expect(write).toThrow(/an ONNX model can have 2 GiB at most/);
    });
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
  });

  it("takes the place of no file beside the target, and of the model never", async () => {
    const [file, other] = ["written.onnx.data", "other.onnx.data"].map((name) => path.join(folder, name));
    writeFileSync(file, bytes);
    writeFileSync(other, "something else");
    await opened(file, (model) => {
      const write = (name: string, force: boolean) => () =>
        stageEditedModel(model, {}, path.join(folder, name), { force, mostBytes });
      expect(write("other.onnx", false)).toThrow(/other\.onnx\.data exists already/);
      expect(write("written.onnx", true)).toThrow(/is the model, an input of this run: it is never overwritten/);
    });
    expect(readFileSync(file)).toEqual(Buffer.from(bytes));
    expect(readFileSync(other, "utf8")).toBe("something else");
  });
});
