import path from "node:path";
import { calibrate, gramGroups } from "./analysis/calibrate";
import { watchData } from "./analysis/dataStamp";
import { DEFAULT_ERROR_PROBABILITY, FastSearch } from "./analysis/fastRanks";
import { embeddingReports } from "./analysis/embeddings";
import { analyzedLayer, type AnalyzedLayer, type FoundRanks } from "./analysis/layerReport";
import { defaultCacheBytes, peakMemory } from "./analysis/memory";
import { noLayer, openData, openSubject, type Subject, type SubjectData } from "./analysis/prepare";
import { openPreviewData, previewReport, previewWarnings } from "./analysis/preview";
import { ProgressMeter, Stopwatch, type AnalysisEvent } from "./analysis/progress";
import { plannedWork, searchLayer, type LayerSearch } from "./analysis/ranks";
import { KeptResults } from "./analysis/kept";
import { gramsOf, ranksOf } from "./analysis/recall";
import { reportHead } from "./analysis/reportHead";
import { replacedAccuracy } from "./analysis/replacedAccuracy";
import { isFastSearchable, scoreOriginal } from "./analysis/scoring";
import { reportSettings } from "./analysis/settings";
import { keepingEigensolver } from "./analysis/solving/keptEigen";
import { LayerSolver } from "./analysis/solving/layerSolver";
import type { SolveInput } from "./analysis/solving/solve";
import { dataWarnings, exactSearchWarning, fastSearchWarnings, resultWarnings } from "./analysis/warnings";
import { analyzeWeights } from "./analysis/weightsOnly";
import { configFor, DEFAULT_TOLERANCE, withMeasure, type Config, type ResolvedConfig } from "./config";
import { gramKey, type Layer } from "./layers/layer";
import { Evaluator } from "./lowrank/evaluator";
import { rankedLayer } from "./lowrank/rankedLayer";
import { readConstant } from "./onnx/readConstant";
import { sha256OfModel, stampOfModel } from "./onnx/sha256";
import type { MetricChoice } from "./metricNames";
import type { ModelReport } from "./report";
import { chooseEigensolver } from "./tensorflow";
import { LoadRefusal } from "./runtime/refusals";
import type { DeviceChoice } from "./runtime/executionProviders";
import type { SearchKind } from "./searchKind";

export interface AnalyzeOptions {
  /** A config, or the path of one; without it, the file beside the model. */
  readonly config?: Config | string;
  /** Percentage points; overrides the config's. */
  readonly tolerance?: number;
  /** `exact` counts answers until the verdict is certain; `fast` tests a few samples and starts near the answer. */
  readonly search?: SearchKind;
  /** The chance of a wrong verdict in one test of the fast search. */
  readonly searchError?: number;
  /** What k_T's drop is measured from: the original's accuracy, or the accuracy with P_S in place. */
  readonly baseline?: "original" | "previous";
  /** Ranks from this share of energy on both sides, without a search. */
  readonly energy?: number;
  /** The model's output to measure, and by what; overrides the config's. */
  readonly outputName?: string;
  readonly metric?: MetricChoice;
  /** Only what the weights tell; no data is read. */
  readonly weightsOnly?: boolean;
  /**
   * Where no layer can be analysed, or onnxruntime does not load the model: what the file alone tells, with the reason as
   * the first warning, and not an error.
   */
  readonly structureOtherwise?: boolean;
  /** A first look on few samples, with an estimate of what the full run takes. */
  readonly preview?: boolean;
  /** Bytes of memory for kept activations; beyond it they go to disk (default: a quarter of the machine's memory). */
  readonly memory?: number;
  readonly device?: DeviceChoice;
  /** A folder in which Gram matrices, eigenvectors and search decisions are kept by content, and looked for. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AnalysisEvent) => void;
}

/** Of the memory for kept activations, what layers may take that are solved ahead. */
const SOLVING_SHARE = 1 / 4;

/** Its layers were read as they were asked for. */
const CHANGED =
  "The model file was written to during the analysis: some numbers may be those of the old file, some of the new. Analyze it again.";

/** The share of energy that is kept where there is no validation data to search with. */
export const DEFAULT_ENERGY = 0.99;

/**
 * Utilized ranks of every analysable layer of an ONNX model on the user's data.
 * @throws ExpectedError for a model or data that cannot be used; the signal's reason where it is aborted.
 */
export async function analyze(modelPath: string, options: AnalyzeOptions): Promise<ModelReport> {
  // Weights need no data, but a config that is given is still checked.
  const needsNone = options.weightsOnly === true && options.config === undefined;
  const config = needsNone ? {} : configFor(modelPath, options.config);
  const structureOtherwise = options.structureOtherwise === true;
  const subject = openSubject(path.resolve(modelPath), { mayBeEmpty: structureOtherwise });
  try {
    if (subject.layers.length === 0) {
      return withWarning(await analyzeWeights(subject, config, options), noLayer(subject.model.path));
    }
    return options.weightsOnly
      ? await analyzeWeights(subject, config, options)
      : (await analyzeWithData(subject, config, options)).report;
  } catch (error) {
    const isRefused = error instanceof LoadRefusal && error.what === subject.model.path;
    if (!isRefused || !structureOtherwise) throw error;
    const warning = `onnxruntime cannot load this model, so only its weights were analysed: ${error.reason}`;
    return withWarning(await analyzeWeights(subject, config, options), warning);
  } finally {
    subject.model.close();
  }
}

function withWarning(report: ModelReport, warning: string): ModelReport {
  return { ...report, warnings: [warning, ...report.warnings] };
}

/** An analysis with the factors of every layer that becomes smaller. */
export interface Analysis {
  readonly report: ModelReport;
  readonly analyzed: readonly AnalyzedLayer[];
  readonly data: SubjectData;
}

export async function analyzeWithData(
  subject: Subject,
  givenConfig: ResolvedConfig,
  options: Omit<AnalyzeOptions, "config">,
): Promise<Analysis> {
  const { model, layers } = subject;
  const wholeConfig = withMeasure(givenConfig, options.outputName, options.metric);
  const tolerance = options.tolerance ?? wholeConfig.tolerance ?? DEFAULT_TOLERANCE;
  const baseline = options.baseline ?? "original";
  const watch = new Stopwatch();
  const stamp = stampOfModel(model);
  const sha256 = await watch.time("preparation", () => sha256OfModel(model));
  const opening = { ...options, device: options.device ?? "auto" };
  const cacheBytes = options.memory ?? defaultCacheBytes();
  const preview = options.preview
    ? await watch.time("sizing", () => openPreviewData(subject, wholeConfig, opening))
    : null;
  const config = preview?.config ?? wholeConfig;
  const unchangedData = watchData(config);
  const unchanged = (): boolean => stampOfModel(model) === stamp;
  const data = preview?.data ?? (await watch.time("preparation", () => openData(subject, config, opening)));
  const embeddings = await watch.time("preparation", () => embeddingReports(subject, data, options.signal));
  const searches = data.validationBatches !== null && options.energy === undefined && (preview?.searches ?? true);
  const energy = searches ? null : (options.energy ?? DEFAULT_ENERGY);
  const work = { forwardEquivalents: 0, evaluations: 0 };
  const plan = plannedWork(subject, data, searches);
  const meter = new ProgressMeter(plan.total, options.onEvent ?? (() => undefined));
  const onWork = (amount: number): void => {
    work.forwardEquivalents += amount;
    meter.work(amount);
  };

  meter.enter("original");
  const scoring = await watch.time("original", () => scoreOriginal(subject, data, options.signal, onWork));
  const isFast = options.search === "fast" && (!scoring || isFastSearchable(scoring.metric));
  const kind: SearchKind = isFast ? "fast" : "exact";
  const searchError = options.searchError ?? DEFAULT_ERROR_PROBABILITY;
  const fast = isFast ? new FastSearch(searchError) : null;
  const search = (task: LayerSearch): Promise<FoundRanks> => fast?.searchLayer(task) ?? searchLayer(task);

  const choices = {
    tolerance,
    ranks: searches ? ("search" as const) : ("energy" as const),
    search: searches ? kind : null,
    ...(searches && fast ? { searchError } : {}),
    baseline: searches ? baseline : null,
    energy,
  };
  const eigensolver = chooseEigensolver();
  // A preview estimates the full run by what its own steps take: none may be left out.
  const keptIn = options.preview ? undefined : options.cache;
  const settings = await reportSettings(config, data, choices);
  const kept = KeptResults.open(keptIn, sha256, data, settings, eigensolver.name, () => unchanged() && unchangedData());
  const solving = {
    budget: cacheBytes * SOLVING_SHARE,
    eigen: keptIn === undefined ? eigensolver.solve : keepingEigensolver(keptIn, eigensolver),
    threads: eigensolver.name === null ? { cache: keptIn ?? null } : null,
    signal: options.signal,
  };
  // A fast search goes by what it saw in the layers before: its decisions are not those of one layer alone.
  const keptRanks = kind === "exact" ? kept : null;

  const evaluator = searches && scoring ? new Evaluator({ ...scoring.evaluator(kind), cacheBytes, onWork }) : null;
  const analyzed: AnalyzedLayer[] = [];
  const layerSeconds: number[] = [];
  let solver: LayerSolver | null = null;
  try {
    const groups = gramGroups(layers);
    for (const group of groups) {
      meter.enter("calibration");
      const beforeGrams = meter.total;
      const grams = await watch.time("calibration", () =>
        gramsOf(
          group,
          kept,
          (missing) => calibrate(subject, data, missing, options.signal, onWork),
          // Where they could not be computed on the device, every report is to say so.
          () => data.fallbacks.length === 0,
        ),
      );
      if (meter.total === beforeGrams) meter.settle(data.calibration.count / groups.length, beforeGrams);
      const inputOf = (layer: Layer): SolveInput => ({
        layer: { view: layer.view, parts: layer.parts },
        weight: readConstant(model.wire, layer.weight),
        grams: grams.get(gramKey(layer))!,
        energy: evaluator ? null : (energy ?? DEFAULT_ENERGY),
      });
      solver = new LayerSolver(group, inputOf, solving);
      for (const layer of group) {
        meter.enter("search", layer.name);
        const before = meter.total;
        const started = watch.seconds();
        const { basis, ranked, ...spectra } = await watch.time("spectra", () => solver!.of(layer));
        const found =
          basis && evaluator && scoring
            ? await watch.time("search", () =>
                ranksOf(layer, keptRanks, () =>
                  search({ layer, basis, evaluator, scoring, tolerance, baseline, work }),
                ),
              )
            : null;
        const result = await watch.time("factors", () =>
          analyzedLayer(
            layer,
            ranked ?? rankedLayer(basis, found!.kS, found!.kT),
            spectra,
            data.positions.get(layer)!,
            found?.search ?? null,
          ),
        );
        analyzed.push(result);
        layerSeconds.push(watch.seconds() - started);
        meter.settle(plan.searches.get(layer) ?? 0, before);
        options.onEvent?.({ kind: "layer", layer: result.report });
      }
      await solver.close();
    }
  } finally {
    await solver?.close();
    await evaluator?.close();
  }

  meter.enter("verification");
  const accuracy = await watch.time("verification", () => replacedAccuracy(subject, analyzed, scoring, onWork));
  const layerReports = analyzed.map(({ report }) => report);
  const { memory: cache, disk: spilled } = evaluator?.cachePeak ?? { memory: 0, disk: 0 };
  const spent = { stages: watch.byStage(), memory: { peak: peakMemory(), cache, spilled } };
  const report: ModelReport = {
    ...reportHead(subject, layerReports, { ...data.device, eigensolver: eigensolver.name }, sha256),
    ...(embeddings.length > 0 ? { embeddings } : {}),
    settings,
    accuracy,
    cost: {
      seconds: watch.seconds(),
      ...work,
      ...spent,
      layers: layerSeconds,
      ...(kept ? { recalled: kept.recalled } : {}),
    },
    preview: preview && previewReport(subject, preview, { ...spent, cacheBytes }),
    layers: layerReports,
    warnings: [
      ...(unchanged() ? [] : [CHANGED]),
      ...subject.warnings,
      ...(preview ? previewWarnings(preview) : []),
      ...dataWarnings(subject, data, scoring, searches ? tolerance : null),
      ...resultWarnings(layerReports, accuracy, searches ? tolerance : null),
      ...(options.search === "fast" && !fast && searches ? [exactSearchWarning(accuracy.metric!)] : []),
      ...(fast && searches ? fastSearchWarnings(fast.decidedByEstimate, work.evaluations, searchError) : []),
    ],
  };
  return { report, analyzed, data };
}
