import type { WeightPart } from "../layers/layer";
import { squaredSingularValues, weightSpectrum, type Basis } from "../numerics/basis";
import type { Matrix } from "../numerics/matrix";

/** Spectra of some of the rows of W: σ² of W and of Y = X Wᵀ, of those rows alone. */
export interface PartSpectra extends WeightPart {
  readonly weight: Float64Array;
  readonly output: Float64Array;
}

/** From the basis of the whole layer: its inputs are those of every part. */
export function partSpectra({ weight, inputSpectrum, mappedVectors }: Basis, part: WeightPart): PartSpectra {
  const { start, end } = part;
  const { columns, data } = weight;
  const own: Matrix = { rows: end - start, columns, data: data.subarray(start * columns, end * columns) };
  // Λ^½ (W V)ᵀ, the columns of the part: its squared singular values are those of Y.
  const [rows, width] = [mappedVectors.rows, end - start];
  const values = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const scale = Math.sqrt(inputSpectrum[i]);
    const from = i * mappedVectors.columns + start;
    for (let j = 0; j < width; j++) values[i * width + j] = scale * mappedVectors.data[from + j];
  }
  return {
    ...part,
    weight: weightSpectrum(own),
    output: squaredSingularValues({ rows, columns: width, data: values }),
  };
}
