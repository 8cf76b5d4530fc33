/** Sizes of one layer: W is rows×columns (m×d) in each of `groups`, applied at `positions` places of a sample. */
export interface LayerSize {
  readonly groups: number;
  readonly rows: number;
  readonly columns: number;
}

/** r = min(k_S, k_T): the largest rank that P_T W P_S can have (paper, section 2.2). */
export function utilizedRank(kS: number, kT: number): number {
  return Math.min(kS, kT);
}

/** r / min(m, d). */
export function utilization(rank: number, { rows, columns }: LayerSize): number {
  return rank / Math.min(rows, columns);
}

/** Whether r×d followed by m×r has fewer parameters than m×d. */
export function isDecomposable(rank: number, { rows, columns }: LayerSize): boolean {
  return rank * (rows + columns) < rows * columns;
}

/** Parameters (and multiply–accumulates per position) of the layer's weight at `rank`, or dense for null. */
export function weightParameters(size: LayerSize, rank: number | null): number {
  const perGroup = rank === null ? size.rows * size.columns : rank * (size.rows + size.columns);
  return size.groups * perGroup;
}
