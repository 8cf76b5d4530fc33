// Our symmetric eigensolver beside LAPACK's dsyevd (scipy.linalg.eigh) on the same matrices in one run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { symmetricEigen, symmetricEigenvalues } from "../src/numerics/eigen";
import { type Matrix, transposeMultiply } from "../src/numerics/matrix";
import { PEAK_TITLE, peakText, withPeak } from "./peakMemory";
import { startPython } from "./pythonWorker";

/** One line of the result, in milliseconds; medians over the repetitions unless named otherwise. */
export interface EigenRow {
  readonly n: number;
  readonly repetitions: number;
  /** All values and vectors. */
  readonly ours: number;
  readonly oursBest: number;
  /** All values and the leading quarter of the vectors. */
  readonly oursQuarter: number;
  readonly oursQuarterBest: number;
  /** Values alone. */
  readonly oursValuesOnly: number;
  /** The first solve at this size: compilation of the kernels included at the smallest. */
  readonly oursFirst: number;
  /** Of this process, the matrix of the bench included, in MiB. */
  readonly peakMemory: number | null;
  readonly lapack: LapackResult | undefined;
}

export interface LapackResult {
  readonly milliseconds: number;
  readonly best: number;
  /** Ours over LAPACK's, of the medians. */
  readonly ratio: number;
  /** Of the fastest repetitions: nearer the truth on a busy machine, where LAPACK's threads wait for each other. */
  readonly bestRatio: number;
  /** The same for the leading quarter of the vectors, over LAPACK's time for all. */
  readonly quarterRatio: number;
  readonly quarterBestRatio: number;
  /** Largest difference of an eigenvalue over the largest eigenvalue. */
  readonly valueDifference: number;
}

export interface EigenBenchOptions {
  readonly sizes?: readonly number[];
  readonly log?: (line: string) => void;
}

export const DEFAULT_SIZES: readonly number[] = [256, 768];
export const LARGE_SIZES: readonly number[] = [256, 768, 1536, 3072];
/** Repetitions per size: as many as fill this time, within the bounds. */
const MILLISECONDS_PER_SIZE = 5000;
const MINIMUM_REPETITIONS = 3;
const MAXIMUM_REPETITIONS = 41;

/**
 * Measures both solvers alternately, one solve each per repetition, so that a load on the machine falls on both. Run from
 * the repository root; the environment variable PYTHON chooses the interpreter. Without Python and SciPy the rows hold our
 * times alone, and the log says so.
 */
export async function benchEigen(options: EigenBenchOptions = {}): Promise<EigenRow[]> {
  const { sizes = DEFAULT_SIZES, log = console.log } = options;
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-bench-"));
  const lapack = await startLapack(log);
  try {
    const rows: EigenRow[] = [];
    for (const n of sizes) {
      const { result, peakMemory } = await withPeak(() => measure(n, folder, lapack));
      rows.push({ ...result, peakMemory });
    }
    printTable(rows, log);
    return rows;
  } finally {
    lapack?.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(n: number, folder: string, lapack: Lapack | undefined): Promise<Omit<EigenRow, "peakMemory">> {
  const matrix = gramMatrix(n);
  const request = { n, matrix: path.join(folder, `${n}.f64`), values: path.join(folder, `${n}.values.f64`) };
  writeFileSync(request.matrix, matrix.data);
  const oursFirst = timed(() => symmetricEigen(matrix));
  const ours: number[] = [];
  const quarter: number[] = [];
  const valuesOnly: number[] = [];
  const theirs: number[] = [];
  await lapack?.solve(request);
  const end = performance.now() + MILLISECONDS_PER_SIZE;
  while (ours.length < MAXIMUM_REPETITIONS && (ours.length < MINIMUM_REPETITIONS || performance.now() < end)) {
    ours.push(timed(() => symmetricEigen(matrix)));
    if (lapack) theirs.push(await lapack.solve(request));
    quarter.push(timed(() => symmetricEigen(matrix, n / 4)));
    valuesOnly.push(timed(() => symmetricEigenvalues(matrix)));
  }
  const oursBest = Math.min(...ours);
  const oursValuesOnly = median(valuesOnly);
  const oursQuarter = median(quarter);
  const oursQuarterBest = Math.min(...quarter);
  const repetitions = ours.length;
  const row = {
    n,
    repetitions,
    ours: median(ours),
    oursBest,
    oursQuarter,
    oursQuarterBest,
    oursValuesOnly,
    oursFirst,
  };
  if (!lapack) return { ...row, lapack: undefined };
  const { values } = symmetricEigen(matrix);
  const reference = new Float64Array(new Uint8Array(readFileSync(request.values)).buffer);
  const difference = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - reference[i])), 0);
  const milliseconds = median(theirs);
  const best = Math.min(...theirs);
  const theirResult = {
    milliseconds,
    best,
    ratio: row.ours / milliseconds,
    bestRatio: oursBest / best,
    quarterRatio: oursQuarter / milliseconds,
    quarterBestRatio: oursQuarterBest / best,
    valueDifference: difference / reference[0],
  };
  return { ...row, lapack: theirResult };
}

/** XᵀX of 2n rows of n decaying features, as calibration gives: the kind of matrix the product solves. */
function gramMatrix(n: number): Matrix {
  let state = 1;
  const data = new Float64Array(2 * n * n).map((_, at) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.01 ** ((at % n) / n);
  });
  const x: Matrix = { rows: 2 * n, columns: n, data };
  return transposeMultiply(x, x);
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

interface LapackRequest {
  readonly n: number;
  readonly matrix: string;
  readonly values: string;
}

interface Lapack {
  /** Milliseconds of one solve. */
  solve(request: LapackRequest): Promise<number>;
  stop(): void;
}

async function startLapack(log: (line: string) => void): Promise<Lapack | undefined> {
  const worker = await startPython(path.join("bench", "eigen_lapack.py"), "scipy.linalg");
  if (!worker) {
    log("!!! No Python with SciPy was found: LAPACK is NOT measured, the times below are ours alone.");
    return undefined;
  }
  log(`LAPACK dsyevd through ${worker.python}, ${String(worker.greeting.version)}`);
  return {
    solve: async (request) => Number((await worker.ask(request)).milliseconds),
    stop: () => worker.stop(),
  };
}

function printTable(rows: readonly EigenRow[], log: (line: string) => void): void {
  const cell = (text: string) => text.padStart(12);
  const ms = (value: number | undefined) => cell(value === undefined ? "–" : value.toFixed(1));
  const ratio = (value: number | undefined) => cell(value === undefined ? "–" : value.toFixed(2));
  log("Symmetric eigensolver, milliseconds: all values and vectors, median and best of the repetitions");
  const load = loadavg()[0];
  if (load > cpus().length) {
    log(`!!! Load ${load.toFixed(1)} on ${cpus().length} cores: even the ratio of the best times flatters us.`);
  }
  const titles = [
    "ours",
    "LAPACK",
    "ratio",
    "ours best",
    "LAPACK best",
    "best ratio",
    "k=n/4",
    "ratio",
    "best ratio",
    "ours first",
    "values only",
    "difference",
    PEAK_TITLE,
  ];
  log(`${"n".padStart(6)}${titles.map((title) => ` ${title}`.padStart(12)).join("")}`);
  for (const { n, ours, oursBest, oursQuarter, oursFirst, oursValuesOnly, peakMemory, lapack } of rows) {
    const median = ms(ours) + ms(lapack?.milliseconds) + ratio(lapack?.ratio);
    const best = ms(oursBest) + ms(lapack?.best) + ratio(lapack?.bestRatio);
    const quarter = ms(oursQuarter) + ratio(lapack?.quarterRatio) + ratio(lapack?.quarterBestRatio);
    const rest = ms(oursFirst) + ms(oursValuesOnly) + cell(lapack ? lapack.valueDifference.toExponential(1) : "–");
    log(String(n).padStart(6) + median + best + quarter + rest + cell(peakText(peakMemory)));
  }
}
