import type { Point } from "./axes";

/** Points drawn of one curve: more cannot be told apart on a screen. */
const MOST_POINTS = 400;

/**
 * Share of the energy in the first k directions, at every k (or, for a long spectrum, at ranks even on a logarithmic
 * axis). Empty for a spectrum without energy.
 */
export function cumulativeEnergy(spectrum: ArrayLike<number>): Point[] {
  const energies = energiesOf(spectrum);
  const total = sum(energies);
  return total === 0 ? [] : runningShares(energies, (held) => held / total);
}

/**
 * ‖W − W P_S(k)‖ / ‖W‖ in the Frobenius norm, at the same k, from ‖W v‖² for each input direction v: what is left out of W
 * when only the first k input directions stay.
 */
export function normDifference(weightOnInput: ArrayLike<number>): Point[] {
  const energies = energiesOf(weightOnInput);
  const total = sum(energies);
  return total === 0 ? [] : runningShares(energies, (held) => Math.sqrt(Math.max(1 - held / total, 0)));
}

/** What is 0 in exact arithmetic may come out of the solver slightly below it. */
function energiesOf(spectrum: ArrayLike<number>): number[] {
  return Array.from(spectrum, (value) => Math.max(value, 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function runningShares(energies: readonly number[], valueOf: (held: number) => number): Point[] {
  const wanted = drawnRanks(energies.length);
  const points: Point[] = [];
  let held = 0;
  energies.forEach((value, i) => {
    held += value;
    if (wanted.has(i + 1)) points.push({ x: i + 1, y: Math.min(valueOf(held), 1) });
  });
  return points;
}

function drawnRanks(full: number): ReadonlySet<number> {
  if (full <= MOST_POINTS) return new Set(Array.from({ length: full }, (_, i) => i + 1));
  const step = Math.log(full) / (MOST_POINTS - 1);
  return new Set(Array.from({ length: MOST_POINTS }, (_, i) => Math.round(Math.exp(i * step))));
}
