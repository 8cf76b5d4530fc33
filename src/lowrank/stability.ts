import type { Layer } from "../layers/layer";
import { weightMatrices } from "../layers/weights";
import { dataSpectra, dataSpectraOfRows, type DataSpectra } from "../numerics/basis";
import type { Matrix } from "../numerics/matrix";
import { energy, rankAtEnergy, sumSpectra } from "../numerics/spectrum";
import { utilizedRank } from "../numerics/utilizedRank";
import type { GramMatrices } from "../runtime/gramGraph";

/** The spectra of X and Y on each half of the calibration data, summed over groups. */
export type HalfSpectra = readonly [DataSpectra, DataSpectra];

/** Lowest and highest. */
export type Band = readonly [number, number];

/** Ranks that each half of the calibration data alone gives at the energy that the whole gives at the ranks found. */
export interface StabilityBand {
  readonly kS: Band;
  readonly kT: Band;
  readonly utilizedRank: Band;
}

/** Spectra of the two halves; null where the Gram matrices do not tell them apart. */
export function halfSpectra(layer: Pick<Layer, "view">, weight: Float32Array, grams: GramMatrices): HalfSpectra | null {
  const groups = weightMatrices(layer.view, weight);
  const first: DataSpectra[] = [];
  const second: DataSpectra[] = [];
  for (const [group, matrix] of groups.entries()) {
    const { kind, matrix: whole, half } = grams[group];
    if (kind === "rows" && whole.rows >= 2) {
      first.push(dataSpectraOfRows(matrix, everySecondRow(whole, 0)));
      second.push(dataSpectraOfRows(matrix, everySecondRow(whole, 1)));
    } else if (kind === "gram" && half) {
      first.push(dataSpectra(matrix, half));
      second.push(dataSpectra(matrix, difference(whole, half)));
    } else {
      return null;
    }
  }
  return [summed(first), summed(second)];
}

export function stabilityBand(
  whole: DataSpectra,
  halves: HalfSpectra,
  { kS, kT }: { readonly kS: number; readonly kT: number },
): StabilityBand {
  const energies = { input: energy(whole.input, kS), output: energy(whole.output, kT) };
  const found = halves.map((half) => {
    const ranks = { kS: rankAtEnergy(half.input, energies.input), kT: rankAtEnergy(half.output, energies.output) };
    return { ...ranks, utilizedRank: utilizedRank(ranks.kS, ranks.kT) };
  });
  const band = (key: keyof StabilityBand): Band => [
    Math.min(...found.map((one) => one[key])),
    Math.max(...found.map((one) => one[key])),
  ];
  return { kS: band("kS"), kT: band("kT"), utilizedRank: band("utilizedRank") };
}

function summed(spectra: readonly DataSpectra[]): DataSpectra {
  return {
    input: sumSpectra(spectra.map(({ input }) => input)),
    output: sumSpectra(spectra.map(({ output }) => output)),
  };
}

function everySecondRow({ rows, columns, data }: Matrix, first: number): Matrix {
  const count = Math.ceil((rows - first) / 2);
  const half = new Float64Array(count * columns);
  for (let row = 0; row < count; row++) {
    const from = (first + 2 * row) * columns;
    half.set(data.subarray(from, from + columns), row * columns);
  }
  return { rows: count, columns, data: half };
}

function difference(one: Matrix, other: Matrix): Matrix {
  return { ...one, data: one.data.map((value, at) => value - other.data[at]) };
}
