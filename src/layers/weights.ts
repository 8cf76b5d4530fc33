import type { Matrix } from "../numerics/matrix";
import { parameterCount, type WeightView } from "./layer";

/** The layer's W as float64 matrices (rows×columns), one for each group, from the tensor's elements. */
export function weightMatrices(view: WeightView, data: Float32Array): Matrix[] {
  const { groups, rows, columns, transposed, scale } = view;
  const size = rows * columns;
  return Array.from({ length: groups }, (_, group) => {
    const matrix = new Float64Array(size);
    const offset = group * size;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        matrix[i * columns + j] = scale * data[offset + (transposed ? j * rows + i : i * columns + j)];
      }
    }
    return { rows, columns, data: matrix };
  });
}

/** The inverse of {@link weightMatrices}: elements in the tensor's order, rounded to float32. */
export function weightElements(view: WeightView, matrices: readonly Matrix[]): Float32Array {
  const { rows, columns, transposed, scale } = view;
  const elements = new Float32Array(parameterCount(view));
  matrices.forEach(({ data }, group) => {
    const offset = group * rows * columns;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        elements[offset + (transposed ? j * rows + i : i * columns + j)] = data[i * columns + j] / scale;
      }
    }
  });
  return elements;
}

/** (rows×columns, row-major) → columns×rows. */
export function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}

/** The same of each of several matrices, one after the other. */
export function transposedGroups(values: Float64Array, groups: number, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  const size = rows * columns;
  for (let at = 0; at < groups * size; at += size) {
    result.set(transposed(values.subarray(at, at + size), rows, columns), at);
  }
  return result;
}
