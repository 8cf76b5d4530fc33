/** Spearman's rank correlation of two lists of equal length; equal values share their mean rank. NaN for a constant list. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  if (x.length !== y.length) throw new RangeError(`${x.length} values beside ${y.length}`);
  const [a, b] = [centred(ranks(x)), centred(ranks(y))];
  const dot = (p: readonly number[], q: readonly number[]): number =>
    p.reduce((sum, value, i) => sum + value * q[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** |ρ| that n unrelated pairs stay below 19 times out of 20: ρ has variance 1 / (n − 1) where nothing is related. */
export function chanceCorrelation(n: number): number {
  return 1.96 / Math.sqrt(n - 1);
}

/** 1 for the smallest value; equal values get the mean of their places. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
