// Where the time of an analysis goes on a network with the shapes of ViT-B/16, and what the paper's experiment would take.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { calibrate } from "../src/analysis/calibrate";
import { FastSearch, DEFAULT_ERROR_PROBABILITY } from "../src/analysis/fastRanks";
import { openData, openSubject, type Subject, type SubjectData } from "../src/analysis/prepare";
import { plannedWork, searchLayer } from "../src/analysis/ranks";
import { scoreOriginal } from "../src/analysis/scoring";
import { table } from "../src/cli/format";
import { gramKey, type Layer } from "../src/layers/layer";
import { Evaluator } from "../src/lowrank/evaluator";
import { testSamples } from "../src/lowrank/pairedTest";
import { mostEvaluations } from "../src/lowrank/rankSearch";
import { layerBasis, layerWeightSpectrum } from "../src/lowrank/layerBasis";
import { readConstant } from "../src/onnx/readConstant";
import { searchKinds, type SearchKind } from "../src/searchKind";
import { uniform } from "../test/fixtures/data";
import { npyBytes } from "../test/fixtures/npy";
import { PEAK_TITLE, peakText, withPeak } from "./peakMemory";
import { vitBytes } from "./vitModel";

const SAMPLES = 64;
const SIDE = 224;
/** One answer of 64 may go wrong: 1.6 points. */
const TOLERANCE = 1.6;
/** The paper's experiment: checks, and images for each. */
const PAPER = { checks: 1000, images: 50_000 };
/** Floating-point operations a second of a GPU on this network: a quarter of an A100's TF32 peak. Assumed, not measured. */
const GPU_FLOPS = 39e12;
/** The block that stands for the others: in the middle, so about half of the network lies behind it. */
const BLOCKS = 12;
const BLOCK = /^blocks\.6\./;

export interface StageRow {
  readonly stage: string;
  readonly seconds: number;
  readonly how: string;
  /** In MiB, of the process with all that the stages before have left in it. */
  readonly peakMemory: number | null;
}

export async function benchVit(): Promise<unknown> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-vit-"));
  try {
    writeFileSync(path.join(folder, "vit.onnx"), vitBytes());
    for (const [seed, name] of ["calibration", "validation"].entries()) {
      const random = uniform(seed + 1);
      const data = Float32Array.from({ length: SAMPLES * 3 * SIDE * SIDE }, () => 2 * random() - 1);
      writeFileSync(path.join(folder, `${name}.npy`), npyBytes("float32", [SAMPLES, 3, SIDE, SIDE], data));
    }
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<unknown> {
  const subject = openSubject(path.join(folder, "vit.onnx"));
  const rows: StageRow[] = [];
  const timed = async <T>(stage: string, how: string, work: () => Promise<T> | T): Promise<T> => {
    const start = performance.now();
    const { result, peakMemory } = await withPeak(work);
    const seconds = (performance.now() - start) / 1000;
    rows.push({ stage, seconds, how, peakMemory });
    console.log(`${stage}: ${seconds.toFixed(1)} s`);
    return result;
  };
  try {
    const source = (name: string) => ({ source: path.join(folder, `${name}.npy`) });
    const config = { calibration: source("calibration"), validation: source("validation") };
    const data = await timed("preparation", "measured", () => openData(subject, config));
    const scoring = (await timed("original", "64 images, measured", () =>
      scoreOriginal(subject, data, undefined, none),
    ))!;
    const chosen = subject.layers.filter(({ weightName }) => BLOCK.test(weightName));
    const grams = await timed("calibration", "64 images, Gram matrices of one block", () =>
      calibrate(subject, data, chosen, undefined, none),
    );
    const bases = await timed("spectra", "one block", () =>
      chosen.map((layer) => {
        const weight = readConstant(subject.model.wire, layer.weight);
        layerWeightSpectrum(layer, weight);
        return { layer, basis: layerBasis(layer, weight, grams.get(gramKey(layer))!) };
      }),
    );
    const nothing: Found = { evaluations: 0, work: 0, share: 1 };
    const found: Record<SearchKind, Found> = { exact: nothing, fast: nothing };
    for (const kind of searchKinds) {
      let work = 0;
      const counts = { evaluations: 0 };
      const evaluator = new Evaluator({
        ...scoring.evaluator(kind),
        cacheBytes: Infinity,
        onWork: (amount) => (work += amount),
      });
      // The boundary is not part of a search: from layer to layer it is advanced, once through the network in all.
      await evaluator.start(chosen[0]);
      work = 0;
      const fast = new FastSearch(DEFAULT_ERROR_PROBABILITY);
      const search = { exact: searchLayer, fast: fast.searchLayer.bind(fast) }[kind];
      await timed(`search, ${kind}`, "one block", async () => {
        for (const { layer, basis } of bases) {
          await search({ layer, basis, evaluator, scoring, tolerance: TOLERANCE, baseline: "original", work: counts });
        }
      });
      await evaluator.close();
      found[kind] = { evaluations: counts.evaluations, work, share: searchShare(subject, data, chosen) };
    }
    return report(rows, found, subject, data);
  } finally {
    subject.model.close();
  }
}

/** The share of a whole search's forward passes that the searches of `chosen` take. */
function searchShare(subject: Subject, data: SubjectData, chosen: readonly Layer[]): number {
  const { searches } = plannedWork(subject, data, true);
  const all = [...searches.values()].reduce((sum, work) => sum + work, 0);
  return chosen.reduce((sum, layer) => sum + (searches.get(layer) ?? 0), 0) / all;
}

/** Forward passes per validation sample of one evaluation, on average over the planned ones. */
function meanShare(subject: Subject, data: SubjectData): number {
  const { searches } = plannedWork(subject, data, true);
  const all = [...searches.values()].reduce((sum, work) => sum + work, 0);
  const evaluations = subject.layers.reduce(
    (sum, { view }) => sum + mostEvaluations(view.columns) + mostEvaluations(view.rows),
    0,
  );
  return all / evaluations / SAMPLES;
}

interface Found {
  readonly evaluations: number;
  /** Forward equivalents. */
  readonly work: number;
  /** Of the work of a whole search, what was measured. */
  readonly share: number;
}

function report(
  rows: readonly StageRow[],
  found: Readonly<Record<SearchKind, Found>>,
  subject: Subject,
  data: SubjectData,
): unknown {
  const right = { align: "right" } as const;
  const secondsOf = (stage: string): number => rows.find((row) => row.stage === stage)!.seconds;
  const forward = secondsOf("original");
  const whole: Readonly<Record<string, (seconds: number) => number>> = {
    // The forward pass is that of all blocks already.
    calibration: (seconds) => forward + BLOCKS * Math.max(0, seconds - forward),
    spectra: (seconds) => BLOCKS * seconds,
    "search, exact": (seconds) => seconds / found.exact.share,
    "search, fast": (seconds) => seconds / found.fast.share,
  };
  console.log(`ViT-B/16's shapes, random weights, ${subject.layers.length} layers; block 6 stands for the others`);
  console.log(
    table(
      [
        { title: "stage" },
        { title: "seconds", ...right },
        { title: "" },
        { title: "whole network", ...right },
        { title: PEAK_TITLE, ...right },
      ],
      rows.map(({ stage, seconds, how, peakMemory }) => {
        const all = whole[stage]?.(seconds) ?? seconds;
        return [stage, seconds.toFixed(1), how, all.toFixed(0), peakText(peakMemory)];
      }),
    ),
  );
  const cores = os.availableParallelism();
  const imagesPerSecond = SAMPLES / forward;
  const gpuImagesPerSecond = GPU_FLOPS / (2 * data.macsPerSample);
  const share = meanShare(subject, data);
  const { exact } = found;
  // The share of its samples that an evaluation ran, before what lies in front of the layer is left out as well.
  const run = exact.work / exact.evaluations / SAMPLES / blockShare(exact, subject, data);
  const checks = [
    { what: "every sample through the whole network", part: 1 },
    { what: "RankLens, exact", part: run * share },
    { what: "RankLens, fast (at most)", part: (testSamples(PAPER.images, share) / PAPER.images) * share },
  ].map(({ what, part }) => {
    const images = PAPER.checks * PAPER.images * part;
    const hours = (rate: number): number => images / rate / 3600;
    return { what, part, images, coreHours: hours(imagesPerSecond) * cores, gpuHours: hours(gpuImagesPerSecond) };
  });
  console.log(
    table(
      [
        { title: `${PAPER.checks} checks × ${PAPER.images} images` },
        ...["of a full check", "forward passes", "core-hours", "GPU-hours"].map((title) => ({ title, ...right })),
      ],
      checks.map(({ what, part, images, coreHours, gpuHours }) => [
        what,
        part.toFixed(4),
        images.toExponential(2),
        coreHours.toFixed(0),
        gpuHours.toFixed(2),
      ]),
    ),
  );
  console.log(
    `Assumed: checks spread over the layers as a whole search spreads them (${share.toFixed(2)} of the network behind a layer on ` +
      `average); exact runs ${run.toFixed(2)} of the samples of a check, as here on block 6; ${imagesPerSecond.toFixed(1)} images a second ` +
      `on ${cores} cores, as here; ${gpuImagesPerSecond.toFixed(0)} on a GPU, at ${GPU_FLOPS / 1e12} TFLOP/s.`,
  );
  return { stages: rows, imagesPerSecond, gpuImagesPerSecond, share, run, checks };
}

/** Forward passes per sample of one evaluation of the measured block. */
function blockShare({ share }: Found, subject: Subject, data: SubjectData): number {
  const chosen = subject.layers.filter(({ weightName }) => BLOCK.test(weightName));
  const { searches } = plannedWork(subject, data, true);
  const all = [...searches.values()].reduce((sum, work) => sum + work, 0);
  const evaluations = chosen.reduce(
    (sum, { view }) => sum + mostEvaluations(view.columns) + mostEvaluations(view.rows),
    0,
  );
  return (share * all) / evaluations / SAMPLES;
}

const none = (): void => undefined;
