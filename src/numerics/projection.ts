import { scaleRows, type Basis } from "./basis";
import { symmetricEigen } from "./eigen";
import {
  identity,
  multiply,
  multiplyTransposed,
  rowsOf,
  squaredRowNorms,
  transpose,
  transposeMultiply,
  type Matrix,
} from "./matrix";
import { energy } from "./spectrum";

/** W′ = P_T W P_S (m×d) with P_S onto the leading kS input and P_T onto the leading kT output directions. */
export function projectWeight(basis: Basis, kS: number, kT: number): Matrix {
  const { weight, mappedVectors, inputVectors, outputVectors } = basis;
  // A full side is the identity exactly, not a product of orthogonal matrices that rounds to it.
  const narrowed =
    kS >= weight.columns ? weight : transposeMultiply(atMost(mappedVectors, kS), atMost(inputVectors, kS));
  if (kT >= weight.rows) return narrowed;
  const leading = atMost(outputVectors, kT);
  return transposeMultiply(leading, multiply(leading, narrowed));
}

/** The first k rows, or all where there are fewer: what is projected on directions that are missing is zero. */
function atMost(matrix: Matrix, k: number): Matrix {
  return rowsOf(matrix, Math.min(k, matrix.rows));
}

/** ‖X Wᵀ − X W′ᵀ‖² = tr((W−W′) C (W−W′)ᵀ) = Σ σ²ᵢ‖(W−W′)vᵢ‖², without X; of a basis with all of its input directions. */
export function squaredOutputError({ weight, inputSpectrum, inputVectors }: Basis, projected: Matrix): number {
  const difference: Matrix = { ...weight, data: weight.data.map((value, i) => value - projected.data[i]) };
  const mapped = squaredRowNorms(multiplyTransposed(inputVectors, difference));
  return mapped.reduce((sum, value, i) => sum + inputSpectrum[i] * value, 0);
}

/** ‖Y‖² = tr(C_Y). */
export function squaredOutput({ outputSpectrum }: Basis): number {
  return outputSpectrum.reduce((sum, value) => sum + value, 0);
}

/** (1−e_T)‖Y‖² + (1−e_S)‖X‖²‖W‖² (paper, eq. 11; Frobenius norms): an upper bound of {@link squaredOutputError}. */
export function squaredErrorBound(basis: Basis, kS: number, kT: number): number {
  const { inputSpectrum, outputSpectrum, weight } = basis;
  const squaredInput = inputSpectrum.reduce((sum, value) => sum + value, 0);
  const squaredWeight = weight.data.reduce((sum, value) => sum + value * value, 0);
  return (
    (1 - energy(outputSpectrum, kT)) * squaredOutput(basis) +
    (1 - energy(inputSpectrum, kS)) * squaredInput * squaredWeight
  );
}

/** W′ = A·B with A m×r, B r×d, and the squared singular values of W′, descending. */
export interface Factorization {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly spectrum: Float64Array;
}

/** A singular value below this share of the largest is rounding; its direction is left at zero. */
const NEGLIGIBLE = 1e-14;

/**
 * The singular value decomposition of W′ = P_T W P_S, its singular values split evenly between A and B; r = min(kS, kT).
 * Only an r×r eigenproblem: W′ = Nᵀ V_kᵀ or U_k N with N of r rows, and N = Qᵀ(Q N) for the eigenvectors Q of N Nᵀ.
 */
export function factorize(basis: Basis, kS: number, kT: number): Factorization {
  const { weight } = basis;
  const fullT = kT >= weight.rows;
  const leadingT = leadingOutput(basis, kT);
  if (kS <= kT) {
    const { mapped, vectors } = leadingInput(basis, kS);
    const n = fullT ? mapped : multiply(multiplyTransposed(mapped, leadingT), leadingT);
    const { rotated, rotatedBasis, singular } = rotate(n, vectors);
    return {
      a: transpose(scaleRows(rotated, (i) => inverseRoot(singular, i))),
      b: scaleRows(rotatedBasis, (i) => root(singular, i)),
      spectrum: singular.map((value) => value * value),
    };
  }
  const padded = withRows(leadingT, kT);
  const n = multiply(padded, projectWeight(basis, kS, weight.rows));
  const { rotated, rotatedBasis, singular } = rotate(n, padded);
  return {
    a: transpose(scaleRows(rotatedBasis, (i) => root(singular, i))),
    b: scaleRows(rotated, (i) => inverseRoot(singular, i)),
    spectrum: singular.map((value) => value * value),
  };
}

/** kT output directions; the unit vectors where all are asked for and some are missing. */
function leadingOutput({ weight, outputVectors }: Basis, kT: number): Matrix {
  const incomplete = kT >= weight.rows && outputVectors.rows < weight.rows;
  return incomplete ? identity(weight.rows) : atMost(outputVectors, kT);
}

/** kS input directions, and what W makes of them; the unit vectors where all are asked for and some are missing. */
function leadingInput({ weight, mappedVectors, inputVectors }: Basis, kS: number): { mapped: Matrix; vectors: Matrix } {
  if (kS >= weight.columns && inputVectors.rows < weight.columns) {
    return { mapped: transpose(weight), vectors: identity(weight.columns) };
  }
  return { mapped: withRows(atMost(mappedVectors, kS), kS), vectors: withRows(atMost(inputVectors, kS), kS) };
}

/** Zero rows at the end up to `count`: data that spans fewer directions still gives factors of the rank asked for. */
function withRows(matrix: Matrix, count: number): Matrix {
  if (matrix.rows === count) return matrix;
  const data = new Float64Array(count * matrix.columns);
  data.set(matrix.data);
  return { rows: count, columns: matrix.columns, data };
}

/** Q N, Q·(basis rows) and the singular values of N, for the eigenvectors Q (as rows) of N Nᵀ. */
function rotate(n: Matrix, basisRows: Matrix): { rotated: Matrix; rotatedBasis: Matrix; singular: Float64Array } {
  const { values, vectors } = symmetricEigen(multiplyTransposed(n, n));
  const singular = values.map((value) => Math.sqrt(Math.max(value, 0)));
  return { rotated: multiply(vectors, n), rotatedBasis: multiply(vectors, basisRows), singular };
}

function root(singular: Float64Array, i: number): number {
  return singular[i] > NEGLIGIBLE * singular[0] ? Math.sqrt(singular[i]) : 0;
}

function inverseRoot(singular: Float64Array, i: number): number {
  return singular[i] > NEGLIGIBLE * singular[0] ? 1 / Math.sqrt(singular[i]) : 0;
}
