// Our symmetric eigensolver beside LAPACK's dsyevd (scipy.linalg.eigh) on the same matrices in one run.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { symmetricEigen, symmetricEigenvalues } from "../src/numerics/eigen";
import { type Matrix, transposeMultiply } from "../src/numerics/matrix";

/** One line of the result, in milliseconds; medians over the repetitions unless named otherwise. */
export interface EigenRow {
  readonly n: number;
  readonly repetitions: number;
  /** All values and vectors. */
  readonly ours: number;
  readonly oursBest: number;
  /** Values alone. */
  readonly oursValuesOnly: number;
  /** The first solve at this size: compilation of the kernels included at the smallest. */
  readonly oursFirst: number;
  readonly lapack: LapackResult | undefined;
}

export interface LapackResult {
  readonly milliseconds: number;
  readonly best: number;
  /** Ours over LAPACK's, of the medians. */
  readonly ratio: number;
  /** Of the fastest repetitions: nearer the truth on a busy machine, where LAPACK's threads wait for each other. */
  readonly bestRatio: number;
  /** Largest difference of an eigenvalue over the largest eigenvalue. */
  readonly valueDifference: number;
}

export interface EigenBenchOptions {
  readonly sizes?: readonly number[];
  readonly log?: (line: string) => void;
}

export const DEFAULT_SIZES: readonly number[] = [256, 768];
export const LARGE_SIZES: readonly number[] = [256, 768, 1536];
/** Repetitions per size: as many as fill this time, within the bounds. */
const MILLISECONDS_PER_SIZE = 5000;
const MINIMUM_REPETITIONS = 5;
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
    for (const n of sizes) rows.push(await measure(n, folder, lapack));
    printTable(rows, log);
    return rows;
  } finally {
    lapack?.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(n: number, folder: string, lapack: Lapack | undefined): Promise<EigenRow> {
  const matrix = gramMatrix(n);
  const request = { n, matrix: path.join(folder, `${n}.f64`), values: path.join(folder, `${n}.values.f64`) };
  writeFileSync(request.matrix, matrix.data);
  const oursFirst = timed(() => symmetricEigen(matrix));
  const ours: number[] = [];
  const valuesOnly: number[] = [];
  const theirs: number[] = [];
  await lapack?.solve(request);
  const end = performance.now() + MILLISECONDS_PER_SIZE;
  while (ours.length < MAXIMUM_REPETITIONS && (ours.length < MINIMUM_REPETITIONS || performance.now() < end)) {
    ours.push(timed(() => symmetricEigen(matrix)));
    if (lapack) theirs.push(await lapack.solve(request));
    valuesOnly.push(timed(() => symmetricEigenvalues(matrix)));
  }
  const oursBest = Math.min(...ours);
  const oursValuesOnly = median(valuesOnly);
  const row = { n, repetitions: ours.length, ours: median(ours), oursBest, oursValuesOnly, oursFirst };
  if (!lapack) return { ...row, lapack: undefined };
  const { values } = symmetricEigen(matrix);
  const reference = new Float64Array(new Uint8Array(readFileSync(request.values)).buffer);
  const difference = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - reference[i])), 0);
  const milliseconds = median(theirs);
  const best = Math.min(...theirs);
  const [ratio, bestRatio] = [row.ours / milliseconds, oursBest / best];
  return { ...row, lapack: { milliseconds, best, ratio, bestRatio, valueDifference: difference / reference[0] } };
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
  const script = path.join("bench", "eigen_lapack.py");
  const chosen = process.env.PYTHON;
  const candidates = chosen === undefined ? ["/usr/bin/python3", "python3"] : [chosen];
  const python = candidates.find((candidate) => spawnSync(candidate, ["-c", "import scipy.linalg"]).status === 0);
  if (python === undefined) {
    log("!!! No Python with SciPy was found: LAPACK is NOT measured, the times below are ours alone.");
    return undefined;
  }
  const child: ChildProcess = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const read = async (): Promise<Record<string, unknown>> => {
    const line: IteratorResult<string, undefined> = await lines.next();
    if (line.done) throw new Error(`${python} ${script} ended early; its message is above.`);
    return JSON.parse(line.value) as Record<string, unknown>;
  };
  log(`LAPACK dsyevd through ${python}, ${String((await read()).version)}`);
  return {
    async solve(request) {
      child.stdin!.write(`${JSON.stringify(request)}\n`);
      return Number((await read()).milliseconds);
    },
    stop: () => child.stdin!.end(),
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
    "ours first",
    "values only",
    "difference",
  ];
  log(`${"n".padStart(6)}${titles.map((title) => ` ${title}`.padStart(12)).join("")}`);
  for (const { n, ours, oursBest, oursFirst, oursValuesOnly, lapack } of rows) {
    const median = ms(ours) + ms(lapack?.milliseconds) + ratio(lapack?.ratio);
    const best = ms(oursBest) + ms(lapack?.best) + ratio(lapack?.bestRatio);
    const rest = ms(oursFirst) + ms(oursValuesOnly) + cell(lapack ? lapack.valueDifference.toExponential(1) : "–");
    log(String(n).padStart(6) + median + best + rest);
  }
}
