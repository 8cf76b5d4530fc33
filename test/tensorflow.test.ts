import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { symmetricEigen } from "../src/numerics/eigen";
import { multiply, transpose, type Matrix } from "../src/numerics/matrix";
import { chooseEigensolver } from "../src/tensorflow";
import { LEAST_SIZE, tensorflowEigen } from "../src/tensorflow/eigensolver";
import { loadTensorflow, type DenseTensor, type NodeBackend, type Tensorflow } from "../src/tensorflow/nodeBackend";
import { normal } from "./fixtures/data";

/** A tensor of the stand-in. */
interface Standin extends DenseTensor {
  readonly shape: readonly [number, number];
}

const TYPES = { TF_FLOAT: 1, TF_ATTR_TYPE: 5, TF_ATTR_BOOL: 4 };

/** What {@link Tensorflow} is of `@tensorflow/tfjs-node-gpu`, computed here; kernels may be spoilt. */
function standin(spoil: (kernel: string, result: Float32Array) => void = () => undefined, gpu = true) {
  let alive = 0;
  const calls: string[] = [];
  const tensor = (data: Float32Array, shape: readonly [number, number]): Standin => {
    alive++;
    return {
      shape,
      dataSync: () => data,
      dispose: () => {
        alive--;
      },
    };
  };
  const matrixOf = (t: DenseTensor): Matrix => {
    const [rows, columns] = (t as Standin).shape;
    return { rows, columns, data: Float64Array.from(t.dataSync()) };
  };
  const backend: NodeBackend = {
    isUsingGpuDevice: gpu,
    binding: TYPES,
    executeMultipleOutputs(kernel, attributes, inputs, outputs) {
      calls.push(kernel);
      const value = (name: string): unknown => attributes.find((one) => one.name === name)?.value;
      expect(value("T")).toBe(TYPES.TF_FLOAT);
      if (kernel === "SelfAdjointEigV2") {
        expect([inputs.length, outputs, value("compute_v")]).toEqual([1, 2, true]);
        const { values, vectors } = symmetricEigen(matrixOf(inputs[0]));
        const n = values.length;
        const e = Float32Array.from(values).reverse();
        const v = new Float32Array(n * n);
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) v[i * n + j] = vectors.data[(n - 1 - j) * n + i];
        spoil(kernel, v);
        return [tensor(e, [1, n]), tensor(v, [n, n])];
      }
      expect([kernel, inputs.length, outputs, value("transpose_b")]).toEqual(["MatMul", 2, 1, false]);
      const left = value("transpose_a") === true ? transpose(matrixOf(inputs[0])) : matrixOf(inputs[0]);
      const product = Float32Array.from(multiply(left, matrixOf(inputs[1])).data);
      spoil(kernel, product);
      return [tensor(product, [left.rows, matrixOf(inputs[1]).columns])];
    },
  };
  const tensorflow: Tensorflow = {
    version: { "tfjs-node": "4.22.0" },
    tensor2d: (values, shape) => tensor(values, shape),
    backend: () => backend,
  };
  return { tensorflow, calls, alive: () => alive };
}

function gram(n: number, scale = 1): Matrix {
  const next = normal(n);
  const x: Matrix = { rows: n, columns: n, data: Float64Array.from({ length: n * n }, next) };
  const product = multiply(x, transpose(x));
  return { ...product, data: product.data.map((value) => value * scale) };
}

describe("eigenvectors by TensorFlow", () => {
  it.each([1e-12, 1, 1e12])("are those of our own solver, to float32, for matrices of size %d", (scale) => {
    const a = gram(40, scale);
    const { tensorflow, alive } = standin();
    const found = tensorflowEigen(tensorflow, a)!;
    const own = symmetricEigen(a);
    for (let i = 0; i < 40; i++) {
      expect(Math.abs(found.values[i] - own.values[i])).toBeLessThan(1e-6 * own.values[0]);
      // Random matrices have no close eigenvalues here: each vector is determined, its sign by convention.
      const row = (m: Matrix): Float64Array => m.data.subarray(i * 40, (i + 1) * 40);
      const cosine = row(found.vectors).reduce((sum, value, j) => sum + value * row(own.vectors)[j], 0);
      expect(cosine).toBeGreaterThan(1 - 1e-6);
    }
    expect(alive()).toBe(0);
  });

  it.each<[string, (kernel: string, result: Float32Array) => void]>([
    ["vectors that are not orthogonal", (kernel, v) => kernel === "SelfAdjointEigV2" && (v[3] += 0.01)],
    ["vectors that are none", (kernel, v) => kernel === "SelfAdjointEigV2" && v.fill(NaN)],
    ["a residual that is too large", (kernel, product) => kernel === "MatMul" && (product[1] += 10)],
    [
      "a kernel that fails",
      () => {
        throw new Error("CUDNN_STATUS_INTERNAL_ERROR");
      },
    ],
  ])("are not taken where there are %s", (_, spoil) => {
    const { tensorflow, alive } = standin(spoil);
    expect(tensorflowEigen(tensorflow, gram(20))).toBeNull();
    expect(alive()).toBe(0);
  });

  it("are for large matrices on a GPU; all others, and what fails, are solved here", () => {
    const large = gram(LEAST_SIZE);
    const small = gram(30);
    const { tensorflow, calls } = standin((kernel, v) => kernel === "SelfAdjointEigV2" && v.fill(0));
    const { solve, name } = chooseEigensolver(tensorflow);
    expect(name).toBe("@tensorflow/tfjs-node-gpu 4.22.0");
    expect(solve(small)).toEqual(symmetricEigen(small));
    expect(calls).toEqual([]);
    expect(solve(large).values).toEqual(symmetricEigen(large).values);
    expect(calls[0]).toBe("SelfAdjointEigV2");
    expect(chooseEigensolver(standin(undefined, false).tensorflow).name).toBeNull();
  });
});

describe("the package", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-tensorflow-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const installed = (name: string, source: string): string => {
    const at = path.join(folder, name, "node_modules", "@tensorflow", "tfjs-node-gpu");
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, "index.js"), source);
    return path.join(folder, name, "from.js");
  };

  it("is found where it is installed, and nothing is said where it is not or does not load", () => {
    const backend = "{ isUsingGpuDevice: true, binding: {}, executeMultipleOutputs() {} }";
    expect(loadTensorflow(installed("whole", `module.exports = { tensor2d() {}, backend: () => (${backend}) };`))).not.toBeNull(); // prettier-ignore
    expect(loadTensorflow(installed("broken", `throw new Error("libcudart.so.11.0: cannot open");`))).toBeNull();
    expect(loadTensorflow(installed("other", `module.exports = { tensor2d() {}, backend: () => ({}) };`))).toBeNull();
    expect(loadTensorflow(path.join(folder, "from.js"))).toBeNull();
    expect(chooseEigensolver().name).toBeNull();
  });
});
