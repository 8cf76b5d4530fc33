import path from "node:path";
import { modelFile } from "./analysis/accuracy";
import { watchData } from "./analysis/dataStamp";
import { openData, openSubject, type Subject, type SubjectData } from "./analysis/prepare";
import { ProgressMeter } from "./analysis/progress";
import { rebuildDecompositions } from "./analysis/rebuild";
import { analysisDecompositions } from "./analysis/replacedAccuracy";
import { scoreOriginal } from "./analysis/scoring";
import { analyzeWithData, type AnalyzeOptions } from "./analyze";
import { checkNotInput, checkTarget } from "./atomicFile";
import { configFor, parseConfig, type DataConfig, type ResolvedConfig } from "./config";
import { ExpectedError } from "./errors";
import { decompositionEdit, type Decomposition } from "./lowrank/decompose";
import { bytesWithData } from "./onnx/externalTensors";
import { openModel } from "./onnx/reader";
import { checkModelTarget, stageEditedModel } from "./onnx/writer";
import type { CompressionReport, ModelReport } from "./report";
import { readReport } from "./reportFile";
import { pairedLatency } from "./runtime/latency";
import { createSession } from "./runtime/session";
import { runInputs } from "./runInputs";
import { sha256OfModel, stampOfModel } from "./onnx/sha256";
import { accuracyText } from "./text/accuracy";

export interface CompressOptions extends Omit<AnalyzeOptions, "weightsOnly"> {
  /** A report of {@link analyze}: its ranks are used, on the same data. Without it, the analysis is made first. */
  readonly from?: string;
  readonly method?: "paper";
  readonly output: string;
  /** Allows overwriting `output`. */
  readonly force?: boolean;
}

/**
 * Writes a smaller model: every layer that gets smaller is decomposed into two at its utilized rank. The file gets its
 * name only after onnxruntime has run it on the validation data. Returns the report with `compressed` filled in.
 * @throws ExpectedError if the report is of another model or other data, or nothing would get smaller.
 */
export async function compress(modelPath: string, options: CompressOptions): Promise<ModelReport> {
  const force = options.force ?? false;
  checkNotInput(options.output, runInputs(modelPath, options));
  checkTarget(options.output, { force });
  const source = path.resolve(modelPath);
  const subject = openSubject(source);
  try {
    checkModelTarget(subject.model, options.output, { force });
    const prepared =
      options.from === undefined
        ? await fromData(subject, configFor(modelPath, options.config), options)
        : await fromReport(subject, options);
    const { decompositions } = prepared;
    if (decompositions.length === 0) {
      throw new ExpectedError(
        `${modelPath}: no layer would get smaller at its utilized rank, so there is nothing to write. ` +
          `A larger tolerance gives lower ranks.`,
      );
    }
    const edit = decompositionEdit(subject, decompositions);
    const staged = stageEditedModel(subject.model, edit, options.output, { force });
    try {
      const compressed = await verify(subject, prepared, staged.temporary, options);
      staged.commit();
      return { ...prepared.report, warnings: warningsWith(prepared.report, compressed), compressed };
    } finally {
      staged.discard();
    }
  } finally {
    subject.model.close();
  }
}

interface Prepared {
  readonly report: ModelReport;
  readonly decompositions: readonly Decomposition[];
  readonly data: SubjectData;
}

async function fromData(subject: Subject, config: ResolvedConfig, options: CompressOptions): Promise<Prepared> {
  const analysis = await analyzeWithData(subject, config, options);
  return { report: analysis.report, decompositions: analysisDecompositions(analysis.analyzed), data: analysis.data };
}

async function fromReport(subject: Subject, options: CompressOptions): Promise<Prepared> {
  const file = options.from ?? "";
  const report = readReport(file);
  const stamp = stampOfModel(subject.model);
  const sha256 = await sha256OfModel(subject.model);
  if (report.model.sha256 !== sha256) {
    throw new ExpectedError(
      `${file} is a report of another model: it was made from ${report.model.path} (sha256 ` +
        `${report.model.sha256.slice(0, 12)}…), but ${subject.model.path} has ${sha256.slice(0, 12)}…. Analyze this model first.`,
    );
  }
  if (report.settings.ranks === "none") {
    throw new ExpectedError(
      `${file} holds no ranks: it was made with --weights-only. Analyze the model with data first.`,
    );
  }
  const config = settingsConfig(report, file);
  const unchangedData = watchData(config);
  const unchanged = (): boolean => stampOfModel(subject.model) === stamp && unchangedData();
  const data = await openData(subject, config, { ...options, device: options.device ?? "auto" });
  await checkData(report, data, file);
  const decompositions = await rebuildDecompositions(subject, data, report, file, { ...options, unchanged });
  return { report, decompositions, data };
}

function settingsConfig({ settings }: ModelReport, file: string): ResolvedConfig {
  const { calibration, validation, preprocess, inputs, output, metric } = settings;
  const plain = (data: typeof calibration): object | undefined => {
    if (!data) return undefined;
    return Object.fromEntries(Object.entries(data).filter(([key]) => key !== "sha256"));
  };
  const config = { calibration: plain(calibration), validation: plain(validation), preprocess, inputs, output, metric };
  const present = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return parseConfig(present, `${file}: settings`, path.dirname(path.resolve(file)));
}

async function checkData({ settings }: ModelReport, data: SubjectData, file: string): Promise<void> {
  for (const which of ["calibration", "validation"] as const) {
    const recorded = settings[which];
    const dataset = data[which];
    if (!recorded || !dataset) continue;
    const found = await dataset.sha256();
    for (const part of ["source", "labels"] as const) {
      if (recorded.sha256[part] === found[part]) continue;
      throw new ExpectedError(
        `${pathOf(recorded[part]) ?? `the ${which} ${part}`} has changed since ${file} was made ` +
          `(sha256 ${String(found[part]).slice(0, 12)}…, not ${String(recorded.sha256[part]).slice(0, 12)}…). Analyze the model again.`,
      );
    }
  }
}

/** A path, or those of several inputs. */
function pathOf(source: DataConfig["source"] | undefined): string | undefined {
  return typeof source === "object" ? Object.values(source).join(", ") : source;
}

/** Runs the written file afresh: accuracy on the validation data, and latency beside the original's. */
async function verify(
  subject: Subject,
  { report, decompositions, data }: Prepared,
  written: string,
  options: CompressOptions,
): Promise<CompressionReport> {
  const { signal, onEvent = () => undefined } = options;
  const meter = new ProgressMeter(2 * (data.validation?.count ?? 0), onEvent);
  const onWork = (samples: number): void => meter.work(samples);
  meter.enter("written");
  const scoring = await scoreOriginal(subject, data, signal, onWork);
  const measured = await scoring?.measure({ ...modelFile(written), what: options.output }, onWork);
  meter.enter("latency");
  const original = await createSession(subject.model.path, subject.model.path);
  const smaller = await createSession(written, options.output);
  const after = openModel(written);
  try {
    const { values, rows } = data.calibrationBatches.smallest();
    const latency = await pairedLatency(original, smaller, values, signal);
    return {
      path: path.resolve(options.output),
      sha256: await sha256OfModel(after),
      method: options.method ?? "paper",
      layersDecomposed: decompositions.length,
      bytes: { before: report.model.bytes, after: bytesWithData(after) },
      accuracy: {
        before: scoring?.original.value ?? null,
        after: measured?.value ?? null,
      },
      latency: { batch: rows, ...latency },
    };
  } finally {
    after.close();
    await original.release();
    await smaller.release();
  }
}

function warningsWith(report: ModelReport, compressed: CompressionReport): string[] {
  const { decomposed: expected, metric } = report.accuracy;
  const found = compressed.accuracy.after;
  if (expected === null || found === null || expected === found) return report.warnings;
  return [
    ...report.warnings,
    `The written file reaches ${accuracyText(found, metric)} on the validation data; the report says ` +
      `${accuracyText(expected, metric)}. The report was made on another machine or by another version.`,
  ];
}
