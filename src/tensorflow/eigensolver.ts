import type { SymmetricEigen } from "../numerics/eigen";
import type { Matrix } from "../numerics/matrix";
import type { DenseTensor, NodeBackend, Tensorflow } from "./nodeBackend";

/** Smaller problems take our own solver milliseconds. A guess at where the way to a GPU and back pays: it was not measured. */
export const LEAST_SIZE = 512;

/**
 * ‖VᵀV − I‖_max and ‖AV − VΛ‖_max / λ_max beyond which a result is not taken: a few hundred times the
 * rounding of float32 (6e-8), which grows with the size.
 */
const ORTHOGONALITY = 2e-5;
const RESIDUAL = 2e-5;

/**
 * All eigenvalues and the `leading` eigenvectors of a symmetric n×n matrix by TensorFlow's SelfAdjointEigV2, in float32, checked by its
 * MatMul.
 * @returns null where the result fails the check or TensorFlow fails: the caller then solves the problem itself.
 */
export function tensorflowEigen(tensorflow: Tensorflow, a: Matrix, leading = a.rows): SymmetricEigen | null {
  const n = a.rows;
  const scale = a.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (scale === 0 || !Number.isFinite(scale)) return null;
  const tensors: DenseTensor[] = [];
  const own = <T extends readonly DenseTensor[]>(made: T): T => {
    tensors.push(...made);
    return made;
  };
  try {
    const backend = tensorflow.backend();
    const scaled = Float32Array.from(a.data, (value) => value / scale);
    const [matrix] = own([tensorflow.tensor2d(scaled, [n, n], "float32")]);
    const [e, v] = own(backend.executeMultipleOutputs("SelfAdjointEigV2", eigenAttributes(backend), [matrix], 2));
    const product = (left: DenseTensor, right: DenseTensor, transposed: boolean): ArrayLike<number> => {
      const attributes = matMulAttributes(backend, transposed);
      return own(backend.executeMultipleOutputs("MatMul", attributes, [left, right], 1))[0].dataSync();
    };
    // Ascending; eigenvectors are columns.
    const ascending = e.dataSync();
    const columns = v.dataSync();
    if (ascending.length !== n || columns.length !== n * n) return null;
    if (!(orthogonalityDefect(product(v, v, true), n) <= ORTHOGONALITY)) return null;
    if (!(residual(product(matrix, v, false), columns, ascending) <= RESIDUAL)) return null;
    return descending(ascending, columns, leading, scale);
  } catch {
    return null;
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
}

type Attributes = Parameters<NodeBackend["executeMultipleOutputs"]>[1];

function eigenAttributes({ binding }: NodeBackend): Attributes {
  return [
    { name: "compute_v", type: binding.TF_ATTR_BOOL, value: true },
    { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
  ];
}

function matMulAttributes({ binding }: NodeBackend, transposed: boolean): Attributes {
  return [
    { name: "transpose_a", type: binding.TF_ATTR_BOOL, value: transposed },
    { name: "transpose_b", type: binding.TF_ATTR_BOOL, value: false },
    { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
  ];
}

/** ‖G − I‖_max for G = VᵀV; NaN where it holds one. */
function orthogonalityDefect(gram: ArrayLike<number>, n: number): number {
  let defect = 0;
  for (let i = 0; i < n * n; i++) defect = Math.max(defect, Math.abs(gram[i] - (i % (n + 1) === 0 ? 1 : 0)));
  return defect;
}

/** ‖AV − VΛ‖_max / max|λ|. */
function residual(product: ArrayLike<number>, columns: ArrayLike<number>, values: ArrayLike<number>): number {
  const n = values.length;
  let largest = 0;
  for (let i = 0; i < n * n; i++) largest = Math.max(largest, Math.abs(product[i] - columns[i] * values[i % n]));
  return largest / Math.max(Math.abs(values[0]), Math.abs(values[n - 1]));
}

/** As {@link SymmetricEigen}: descending, eigenvectors as rows, their entry of largest magnitude positive. */
function descending(
  ascending: ArrayLike<number>,
  columns: ArrayLike<number>,
  leading: number,
  scale: number,
): SymmetricEigen {
  const n = ascending.length;
  const values = Float64Array.from(ascending, (value) => value * scale).reverse();
  const data = new Float64Array(leading * n);
  for (let row = 0; row < leading; row++) {
    const column = n - 1 - row;
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const entry = columns[i * n + column];
      data[row * n + i] = entry;
      if (Math.abs(entry) > Math.abs(largest)) largest = entry;
    }
    if (largest < 0) for (let i = 0; i < n; i++) data[row * n + i] *= -1;
  }
  return { values, vectors: { rows: leading, columns: n, data } };
}
