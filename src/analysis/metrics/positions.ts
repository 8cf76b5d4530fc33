import { NO_ANSWER } from "../../lowrank/accuracy";
import { isCausal, sampleToTry } from "./causality";
import { noScores } from "./classes";
import type { Fit, Metric, Questions } from "./metric";
import type { Tokens } from "./tokens";

const NO_TOKENS: Fit = {
  fits: false,
  why: "it is not [samples, positions, classes] with an integer input of tokens, [samples, positions]",
};

/** At each position of a language model, the highest score is that of the token which comes next in the data. */
export const nextToken: Metric = {
  name: "next-token",
  async fit(measured, wanted) {
    const { tokens } = measured;
    if (!tokens || tokens.positions < 2) return NO_TOKENS;
    const { classes, positions, largest } = tokens;
    if (largest >= classes) {
      return { fits: false, why: `it has ${classes} scores, and the tokens in the data reach ${largest}` };
    }
    const tried = sampleToTry(tokens);
    if (!tried) return { fits: false, why: "no sample has two tokens, so that one would come next", telling: true };
    const why = `it scores ${classes} tokens at each of ${positions} positions`;
    if (wanted) return { fits: true, why };
    if (noScores(measured.index, measured.output.name)) return NO_TOKENS;
    return (await isCausal(measured, tokens, tried))
      ? { fits: true, why: `${why}, and no position sees the tokens behind it` }
      : { fits: false, why: "positions see the tokens behind them", telling: true };
  },
  questions({ tokens }): Questions {
    const { positions } = tokens!;
    return { perSample: positions, targets: nextTokens(tokens!), asked: null, likelihood: true };
  },
};

/** At each position, the highest score is that of the original. */
export const positionAgreement: Metric = {
  name: "position-agreement",
  fit({ tokens, index, output }, wanted) {
    if (!tokens) return NO_TOKENS;
    const values = wanted ? null : noScores(index, output.name);
    if (values) return values;
    return { fits: true, why: `it has ${tokens.classes} scores at each of ${tokens.positions} positions` };
  },
  questions({ tokens }): Questions {
    const { positions, attended } = tokens!;
    return { perSample: positions, targets: null, asked: attended, likelihood: false };
  },
};

/** What comes behind each position; nothing behind the last, and where either is padded. */
export function nextTokens({
  values,
  positions,
  attended,
}: Pick<Tokens, "values" | "positions" | "attended">): Int32Array {
  return values.map((_, at) => {
    const isLast = (at + 1) % positions === 0;
    const counts = !isLast && (!attended || (attended[at] === 1 && attended[at + 1] === 1));
    return counts ? values[at + 1] : NO_ANSWER;
  });
}

/** The share of answers that would be right if the most frequent token were the answer everywhere. */
export function mostFrequentShare(targets: Int32Array): number {
  const counts = new Map<number, number>();
  let asked = 0;
  for (const target of targets) {
    if (target === NO_ANSWER) continue;
    asked++;
    counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return asked === 0 ? 1 : Math.max(...counts.values()) / asked;
}
