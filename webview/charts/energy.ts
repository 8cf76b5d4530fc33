import type { Point } from "./axes";

/** Points drawn of one curve: more cannot be told apart on a screen. */
const MOST_POINTS = 400;

/** Share of the energy in the first k directions, at every k (or, for a long spectrum, at ranks even on a logarithmic axis). */
export function cumulativeEnergy(spectrum: readonly number[]): Point[] {
  // What is 0 in exact arithmetic may come out of the solver slightly below it.
  const energies = spectrum.map((value) => Math.max(value, 0));
  const total = energies.reduce((sum, value) => sum + value, 0);
  if (total === 0) return [];
  const wanted = drawnRanks(spectrum.length);
  const points: Point[] = [];
  let sum = 0;
  energies.forEach((value, i) => {
    sum += value;
    if (wanted.has(i + 1)) points.push({ x: i + 1, y: Math.min(sum / total, 1) });
  });
  return points;
}

function drawnRanks(full: number): ReadonlySet<number> {
  if (full <= MOST_POINTS) return new Set(Array.from({ length: full }, (_, i) => i + 1));
  const step = Math.log(full) / (MOST_POINTS - 1);
  return new Set(Array.from({ length: MOST_POINTS }, (_, i) => Math.round(Math.exp(i * step))));
}
