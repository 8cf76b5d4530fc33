import { symmetricEigen, symmetricEigenvalues, type SymmetricEigensolver } from "./eigen";
import { multiply, multiplyTransposed, transposeMultiply, type Matrix } from "./matrix";

/**
 * The subspaces of one weight matrix W (m×d) on data with Gram matrix C = XᵀX (d×d).
 * Eigenvectors are the rows of `inputVectors` (Vᵀ) and `outputVectors` (Uᵀ), leading first.
 */
export interface Basis {
  readonly weight: Matrix;
  readonly gram: Matrix;
  /** σ² of X, d values, descending. */
  readonly inputSpectrum: Float64Array;
  /** Vᵀ, d×d. */
  readonly inputVectors: Matrix;
  /** σ² of Y = X Wᵀ, m values, descending. */
  readonly outputSpectrum: Float64Array;
  /** Uᵀ, m×m; fewer rows where Y spans fewer than m directions and the smaller problem was solved. */
  readonly outputVectors: Matrix;
  /** (W V)ᵀ, d×m: row i is what W makes of the i-th input direction. */
  readonly mappedVectors: Matrix;
}

/** Eigenvalues of C and C_Y below this share of the largest, times the size, are rounding noise. */
const NOISE = Number.EPSILON;
/** Newton–Schulz stops here: orthonormal to working accuracy. */
const ORTHONORMAL = 1e-13;
/** It converges quadratically from any defect below 1; eigenvectors start far below that. */
const MOST_STEPS = 12;

/** Input and output basis of a layer (paper, section 2.1): W is m×d, C is d×d and symmetric. */
export function computeBasis(weight: Matrix, gram: Matrix, eigen: SymmetricEigensolver = symmetricEigen): Basis {
  const input = eigen(gram);
  const inputSpectrum = input.values.map((value) => Math.max(value, 0));
  const mappedVectors = multiplyTransposed(input.vectors, weight);
  const output =
    weight.rows > weight.columns ? tallOutput(mappedVectors, inputSpectrum, eigen) : wideOutput(weight, gram, eigen);
  return { weight, gram, inputSpectrum, inputVectors: input.vectors, mappedVectors, ...output };
}

type OutputBasis = Pick<Basis, "outputSpectrum" | "outputVectors">;

/** Eigenvectors of C_Y = W C Wᵀ itself (m×m). */
function wideOutput(weight: Matrix, gram: Matrix, eigen: SymmetricEigensolver): OutputBasis {
  const output = eigen(outputGram(weight, gram));
  return { outputSpectrum: output.values.map((value) => Math.max(value, 0)), outputVectors: output.vectors };
}

/** C_Y = W C Wᵀ, m×m, symmetric to the last bit. */
function outputGram(weight: Matrix, gram: Matrix): Matrix {
  const product = multiplyTransposed(multiply(weight, gram), weight);
  const { rows, data } = product;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (data[i * rows + j] + data[j * rows + i]) / 2;
      data[i * rows + j] = mean;
      data[j * rows + i] = mean;
    }
  }
  return product;
}

/**
 * The same for m > d from a d×d problem: with M = Λ^½ Vᵀ Wᵀ (d×m), C_Y = MᵀM has the non-zero eigenvalues μ of
 * M Mᵀ = Q diag(μ) Qᵀ, and the eigenvectors Uᵀ = μ^-½ Qᵀ M.
 */
function tallOutput(mapped: Matrix, inputSpectrum: Float64Array, eigen: SymmetricEigensolver): OutputBasis {
  const { rows: d, columns: m } = mapped;
  const scaled = scaleRows(mapped, (i) => Math.sqrt(inputSpectrum[i]));
  const { values, vectors } = eigen(multiplyTransposed(scaled, scaled));
  let kept = 0;
  while (kept < d && values[kept] > NOISE * m * values[0]) kept++;
  const leading: Matrix = { rows: kept, columns: d, data: vectors.data.subarray(0, kept * d) };
  const outputVectors = orthonormalRows(scaleRows(multiply(leading, scaled), (i) => 1 / Math.sqrt(values[i])));
  const outputSpectrum = new Float64Array(m);
  for (let i = 0; i < kept; i++) outputSpectrum[i] = values[i];
  return { outputSpectrum, outputVectors };
}

/** Newton–Schulz iteration R ← (3R − (R Rᵀ)R)/2: nearly orthonormal rows made orthonormal, by matrix products alone. */
function orthonormalRows(rows: Matrix): Matrix {
  let current = rows;
  for (let step = 0; step < MOST_STEPS; step++) {
    const gram = multiplyTransposed(current, current);
    let defect = 0;
    for (let i = 0; i < gram.data.length; i++) {
      const diagonal = i % (gram.columns + 1) === 0;
      defect = Math.max(defect, Math.abs(gram.data[i] - (diagonal ? 1 : 0)));
      gram.data[i] = (diagonal ? 1.5 : 0) - gram.data[i] / 2;
    }
    if (defect <= ORTHONORMAL) break;
    current = multiply(gram, current);
  }
  return current;
}

/** Row i of the result is `factor(i)` times row i. */
export function scaleRows(matrix: Matrix, factor: (row: number) => number): Matrix {
  const data = new Float64Array(matrix.data.length);
  for (let i = 0; i < matrix.rows; i++) {
    const scale = factor(i);
    const end = (i + 1) * matrix.columns;
    for (let at = i * matrix.columns; at < end; at++) data[at] = scale * matrix.data[at];
  }
  return { rows: matrix.rows, columns: matrix.columns, data };
}

/** Squared singular values of W, min(m, d) of them, descending. */
export function weightSpectrum(weight: Matrix): Float64Array {
  const gram = weight.rows <= weight.columns ? multiplyTransposed(weight, weight) : transposeMultiply(weight, weight);
  return symmetricEigenvalues(gram).map((value) => Math.max(value, 0));
}
