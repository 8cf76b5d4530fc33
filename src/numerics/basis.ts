import { symmetricEigen, type SymmetricEigen, symmetricEigenvalues, type SymmetricEigensolver } from "./eigen";
import { multiply, multiplyTransposed, rowsOf, transposeMultiply, type Matrix } from "./matrix";

/**
 * The subspaces of one weight matrix W (m×d) on data X. Eigenvectors are the rows of `inputVectors` (Vᵀ) and
 * `outputVectors` (Uᵀ), leading first. There are fewer of them than the spectra have values where X or Y spans fewer
 * directions and a smaller problem was solved, and where only leading ones were asked for.
 */
export interface Basis {
  readonly weight: Matrix;
  /** σ² of X, d values, descending. */
  readonly inputSpectrum: Float64Array;
  /** Vᵀ, d×d or fewer rows. */
  readonly inputVectors: Matrix;
  /** σ² of Y = X Wᵀ, m values, descending. */
  readonly outputSpectrum: Float64Array;
  /** Uᵀ, m×m or fewer rows. */
  readonly outputVectors: Matrix;
  /** (W V)ᵀ: row i is what W (m×d) makes of the i-th input direction. */
  readonly mappedVectors: Matrix;
}

/** How many directions are needed on either side. */
export interface LeadingRanks {
  readonly kS: number;
  readonly kT: number;
}

/** Eigenvalues of C and C_Y below this share of the largest, times the size, are rounding noise. */
const NOISE = Number.EPSILON;
/** Newton–Schulz stops here: orthonormal to working accuracy. */
const ORTHONORMAL = 1e-13;
/** It converges quadratically from any defect below 1; eigenvectors start far below that. */
const MOST_STEPS = 12;

/** Input and output basis of a layer (paper, section 2.1) from C = XᵀX: W is m×d, C is d×d and symmetric. */
export function computeBasis(
  weight: Matrix,
  gram: Matrix,
  leading = allRanks(weight),
  eigen: SymmetricEigensolver = symmetricEigen,
): Basis {
  const tall = weight.rows > weight.columns;
  // The smaller problem of a tall layer takes all input directions.
  const input = eigen(gram, tall ? weight.columns : leading.kS);
  const inputSpectrum = withoutNegative(input.values);
  const mappedVectors = multiplyTransposed(input.vectors, weight);
  const output = tall
    ? eigenOfSquare(onData(mappedVectors, inputSpectrum), leading.kT, eigen)
    : nonNegative(eigen(outputGram(weight, gram), leading.kT));
  return assembled(weight, { values: inputSpectrum, vectors: input.vectors }, mappedVectors, output);
}

/**
 * The same from X itself (N×d): for fewer rows than features an N×N problem. Directions that X does not span are then in
 * neither basis.
 */
export function basisOfRows(
  weight: Matrix,
  x: Matrix,
  leading = allRanks(weight),
  eigen: SymmetricEigensolver = symmetricEigen,
): Basis {
  const input = eigenOfSquare(x, x.columns, eigen);
  const mappedVectors = multiplyTransposed(input.vectors, weight);
  const output = eigenOfSquare(onData(mappedVectors, input.values), leading.kT, eigen);
  return assembled(weight, input, mappedVectors, output);
}

function allRanks({ rows, columns }: Matrix): LeadingRanks {
  return { kS: columns, kT: rows };
}

function assembled(weight: Matrix, input: SymmetricEigen, mappedVectors: Matrix, output: SymmetricEigen): Basis {
  return {
    weight,
    inputSpectrum: input.values,
    inputVectors: input.vectors,
    outputSpectrum: output.values,
    outputVectors: output.vectors,
    mappedVectors,
  };
}

/** Λ^½ (W V)ᵀ: a matrix M with MᵀM = W C Wᵀ. */
function onData(mapped: Matrix, inputSpectrum: Float64Array): Matrix {
  return scaleRows(mapped, (i) => Math.sqrt(inputSpectrum[i]));
}

function nonNegative({ values, vectors }: SymmetricEigen): SymmetricEigen {
  return { values: withoutNegative(values), vectors };
}

function withoutNegative(values: Float64Array): Float64Array {
  return values.map((value) => Math.max(value, 0));
}

/** σ² of X and of Y = X Wᵀ, descending: d and m values. */
export interface DataSpectra {
  readonly input: Float64Array;
  readonly output: Float64Array;
}

/** The spectra of {@link computeBasis} without its vectors, at a fraction of the cost. */
export function dataSpectra(weight: Matrix, gram: Matrix): DataSpectra {
  if (weight.rows <= weight.columns) {
    const [input, output] = [gram, outputGram(weight, gram)].map(symmetricEigenvalues);
    return { input: withoutNegative(input), output: withoutNegative(output) };
  }
  const { values, vectors } = symmetricEigen(gram);
  const input = withoutNegative(values);
  return { input, output: squaredSingularValues(onData(multiplyTransposed(vectors, weight), input)) };
}

/** The same from X itself (N×d). */
export function dataSpectraOfRows(weight: Matrix, x: Matrix): DataSpectra {
  return { input: squaredSingularValues(x), output: squaredSingularValues(multiplyTransposed(x, weight)) };
}

/** Of M (r×n): n values, descending, of which those beyond the r-th are 0. */
export function squaredSingularValues(m: Matrix): Float64Array {
  const gram = m.rows <= m.columns ? multiplyTransposed(m, m) : transposeMultiply(m, m);
  const all = new Float64Array(m.columns);
  all.set(withoutNegative(symmetricEigenvalues(gram)));
  return all;
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
 * Eigenvalues and the eigenvectors (`leading` at most) of MᵀM (n×n). For M of r < n rows an r×r problem has the non-zero
 * eigenvalues: M Mᵀ = Q diag(μ) Qᵀ, with the eigenvectors μ^-½ Qᵀ M of MᵀM; directions that M does not span have none.
 */
function eigenOfSquare(m: Matrix, leading: number, eigen: SymmetricEigensolver): SymmetricEigen {
  const { rows: r, columns: n } = m;
  if (r >= n) return nonNegative(eigen(transposeMultiply(m, m), leading));
  const { values, vectors } = eigen(multiplyTransposed(m, m));
  let spanned = 0;
  while (spanned < r && values[spanned] > NOISE * n * values[0]) spanned++;
  const all = new Float64Array(n);
  all.set(values.subarray(0, spanned));
  // Cut at the end: the leading vectors are to be the same bits, however many are asked for.
  const units = orthonormalRows(scaleRows(multiply(rowsOf(vectors, spanned), m), (i) => 1 / Math.sqrt(values[i])));
  return { values: all, vectors: rowsOf(units, Math.min(spanned, leading)) };
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
  return squaredSingularValues(weight).slice(0, Math.min(weight.rows, weight.columns));
}
