/** Fixed, so that the same data and the same `limit` always give the same samples, and results can be compared. */
export const SUBSET_SEED = 20240611;

/**
 * Chooses `limit` of `count` samples at random. With labels (one per sample) the classes get equal shares; a class that
 * has less than its share gives all it has, and the others share the rest. Shares differ by at most 1 where they
 * cannot be equal.
 * @returns the indices of the chosen samples, ascending: min(limit, count) of them. A pure function of its arguments.
 */
export function chooseSubset(
  count: number,
  limit: number,
  labels: Int32Array | null,
  seed: number = SUBSET_SEED,
): Uint32Array {
  if (limit >= count) return Uint32Array.from({ length: count }, (_, index) => index);
  const random = randomNumbers(seed);
  const classOf = (index: number): number => (labels === null ? 0 : labels[index]);
  const available = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    available.set(classOf(index), (available.get(classOf(index)) ?? 0) + 1);
  }
  const wanted = shares(available, limit, random);
  const chosen = new Uint32Array(limit);
  let length = 0;
  // Selection sampling (Knuth's Algorithm S) in every class at once: a sample is taken with probability
  // wanted/available of what is left of its class, which makes every choice of the right size equally likely.
  for (let index = 0; index < count; index++) {
    const label = classOf(index);
    const left = available.get(label) ?? 0;
    const need = wanted.get(label) ?? 0;
    available.set(label, left - 1);
    if (random() * left >= need) continue;
    wanted.set(label, need - 1);
    chosen[length++] = index;
  }
  return chosen;
}

/** How many samples each class gives. Who gets the slots left over after equal shares is drawn by lot. */
function shares(available: ReadonlyMap<number, number>, limit: number, random: () => number): Map<number, number> {
  // In order of the label where the sizes are equal: the result does not depend on the order of the samples' classes.
  const smallestFirst = [...available].sort(([labelA, a], [labelB, b]) => a - b || labelA - labelB);
  const result = new Map<number, number>();
  let slots = limit;
  let position = 0;
  for (; position < smallestFirst.length; position++) {
    const [label, size] = smallestFirst[position];
    const share = Math.floor(slots / (smallestFirst.length - position));
    if (size > share) break;
    result.set(label, size);
    slots -= size;
  }
  // What is left all have more than an equal share of the slots.
  const large = smallestFirst.slice(position).map(([label]) => label);
  const share = Math.floor(slots / large.length);
  const extra = slots % large.length;
  shuffle(large, random).forEach((label, index) => result.set(label, share + (index < extra ? 1 : 0)));
  return result;
}

function shuffle(items: readonly number[], random: () => number): number[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

/** Numbers in [0, 1) from a seed: the generator mulberry32, whose 32 bits are plenty to choose samples. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
