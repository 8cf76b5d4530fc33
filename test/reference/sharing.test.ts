import path from "node:path";
import { describe, expect, it } from "vitest";
import { calibrate } from "../../src/analysis/calibrate";
import type { FoundRanks } from "../../src/analysis/layerReport";
import { openData, openSubject } from "../../src/analysis/prepare";
import { searchLayer } from "../../src/analysis/ranks";
import { scoreOriginal } from "../../src/analysis/scoring";
import { gramKey } from "../../src/layers/layer";
import { Evaluator } from "../../src/lowrank/evaluator";
import { layerBasis } from "../../src/lowrank/layerBasis";
import { readConstant } from "../../src/onnx/readConstant";
import { builtFile } from "../cli/lab";
import { cifarConfig, missingReference, referenceFolder } from "./data";

const missing = missingReference();
if (missing !== undefined) console.warn(`SKIPPED: ${missing}`);

/** Samples of either data set, and every so manieth layer: the search is to take seconds. */
const SAMPLES = 120;
const EVERY = 6;

const nothing = (): void => undefined;

describe.skipIf(missing !== undefined)("the exact search on ResNet-20", () => {
  it("finds the same with one, two and three threads, decision by decision", async () => {
    const subject = openSubject(path.join(referenceFolder, "models", "resnet20.onnx"));
    try {
      const data = await openData(subject, cifarConfig(SAMPLES));
      const scoring = (await scoreOriginal(subject, data, undefined, nothing))!;
      const layers = subject.layers.filter((_, at) => at % EVERY === 0);
      const grams = await calibrate(subject, data, layers, undefined, nothing);
      const bases = layers.map((layer) => ({
        layer,
        basis: layerBasis(layer, readConstant(subject.model.wire, layer.weight), grams.get(gramKey(layer))!),
      }));
      const search = async (shards: number): Promise<FoundRanks[]> => {
        const context = scoring.evaluator("exact");
        const sharing = { ...context.sharing!, cores: 2 * shards, file: builtFile("shard.js") };
        const evaluator = new Evaluator({ ...context, sharing, cacheBytes: 2 ** 30, onWork: nothing });
        expect(evaluator.shardCount).toBe(shards);
        const found: FoundRanks[] = [];
        try {
          for (const { layer, basis } of bases) {
            const task = { layer, basis, evaluator, scoring, tolerance: 2, work: { evaluations: 0 } };
            found.push(await searchLayer({ ...task, baseline: "original" }));
          }
        } finally {
          await evaluator.close();
        }
        return found;
      };
      const alone = await search(1);
      expect(alone.flatMap(({ search }) => [...search!.S, ...search!.T]).length).toBeGreaterThan(30);
      expect(await search(2)).toEqual(alone);
      expect(await search(3)).toEqual(alone);
    } finally {
      subject.model.close();
    }
  });
});
