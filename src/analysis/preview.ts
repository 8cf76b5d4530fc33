import type { DataConfig, ResolvedConfig } from "../config";
import { createSession } from "../runtime/session";
import { elementCount } from "../onnx/tensor";
import type { ModelReport } from "../report";
import { openData, type DataOptions, type Subject, type SubjectData } from "./prepare";
import { plannedWork } from "./ranks";

/** Samples for the first look at speed; the most that a preview takes of either data set. */
const FIRST_SAMPLES = 32;
const MOST_SAMPLES = 200;
/** Seconds for the rank search, and for the Gram matrices. */
const SEARCH_SECONDS = 6;
const CALIBRATION_SECONDS = 2;
/** With fewer validation samples a searched rank says nothing: the preview then takes ranks by energy. */
const LEAST_VALIDATION = 32;
const LEAST_CALIBRATION = 8;

/** The data of a preview, and what the full run would take beside it. */
export interface PreviewData {
  readonly data: SubjectData;
  readonly config: ResolvedConfig;
  /** Whether there is time to search on this few samples. */
  readonly searches: boolean;
  /** Measured seconds for one sample through the network. */
  readonly secondsPerSample: number;
  readonly full: { readonly calibration: number; readonly validation: number };
}

/** How fast a model goes, as far as it decides how many samples a preview takes. */
export interface Speed {
  readonly secondsPerSample: number;
  /** Multiplications for the Gram matrices of one sample, relative to those of a run through the network. */
  readonly gramShare: number;
  /** Forward equivalents that a whole search takes for each validation sample; 0 without validation data. */
  readonly searchWork: number;
}

/** Samples for a preview, and whether that is enough of them to search in time. */
export function previewSizes(speed: Speed): { calibration: number; validation: number; searches: boolean } {
  const affordable = (seconds: number, secondsEach: number): number =>
    secondsEach > 0 ? Math.floor(seconds / secondsEach) : 0;
  const calibration = affordable(CALIBRATION_SECONDS, speed.secondsPerSample * (1 + speed.gramShare));
  const validation = affordable(SEARCH_SECONDS, speed.secondsPerSample * speed.searchWork);
  return {
    calibration: Math.max(LEAST_CALIBRATION, Math.min(MOST_SAMPLES, calibration)),
    validation: Math.max(LEAST_VALIDATION, Math.min(MOST_SAMPLES, validation)),
    searches: validation >= LEAST_VALIDATION,
  };
}

/** Chooses as many samples as can be analysed within seconds, by the speed of the model on a first batch. */
export async function openPreviewData(
  subject: Subject,
  config: ResolvedConfig,
  options: DataOptions,
): Promise<PreviewData> {
  const first = await openData(subject, limited(config, FIRST_SAMPLES, FIRST_SAMPLES), options);
  const secondsPerSample = await forwardSeconds(subject, first, options.signal);
  const sizes = previewSizes({
    secondsPerSample,
    gramShare: gramShare(subject, first),
    searchWork: searchWork(subject, first),
  });
  const small = limited(config, sizes.calibration, sizes.validation);
  const data = await openData(subject, small, { ...options, device: first.device });
  return {
    data,
    config: small,
    searches: sizes.searches,
    secondsPerSample,
    full: {
      calibration: fullCount(data.calibration.available, config.calibration),
      validation: data.validation ? fullCount(data.validation.available, config.validation) : 0,
    },
  };
}

function fullCount(available: number, config: DataConfig | undefined): number {
  return Math.min(available, config?.limit ?? available);
}

function limited(config: ResolvedConfig, calibration: number, validation: number): ResolvedConfig {
  const smaller = (data: DataConfig, limit: number): DataConfig => ({
    ...data,
    limit: Math.min(limit, data.limit ?? limit),
  });
  return {
    ...config,
    ...(config.calibration ? { calibration: smaller(config.calibration, calibration) } : {}),
    ...(config.validation ? { validation: smaller(config.validation, validation) } : {}),
  };
}

/** Seconds for one sample through the whole network, once it is warm. */
async function forwardSeconds(
  { model }: Subject,
  { calibrationBatches, device }: SubjectData,
  signal: AbortSignal | undefined,
): Promise<number> {
  const session = await createSession(model.path, model.path, null, device.used);
  try {
    const { values, rows } = calibrationBatches.batch(0);
    await session.run(values);
    signal?.throwIfAborted();
    const start = performance.now();
    await session.run(values);
    return (performance.now() - start) / 1000 / rows;
  } finally {
    await session.release();
  }
}

/** Multiplications for the Gram matrices of one sample, relative to those of a run through the network. */
function gramShare({ layers }: Subject, { positions }: SubjectData): number {
  let gram = 0;
  let macs = 0;
  for (const layer of layers) {
    const { groups, rows, columns } = layer.view;
    gram += positions.get(layer)! * groups * columns * columns;
    macs += positions.get(layer)! * groups * rows * columns;
  }
  return macs === 0 ? 1 : gram / macs;
}

/** Forward equivalents that a whole search takes for each validation sample. */
function searchWork(subject: Subject, data: SubjectData): number {
  const samples = data.validation?.count ?? 0;
  if (samples === 0) return 0;
  return (plannedWork(subject, data, true).total - data.calibration.count) / samples;
}

/** What a preview says of itself, wherever warnings are shown. */
export function previewWarnings({ data, full, searches }: PreviewData): string[] {
  const counts = [
    `${data.calibration.count} of ${full.calibration} calibration samples`,
    ...(data.validation ? [`${data.validation.count} of ${full.validation} validation samples`] : []),
  ];
  const how =
    searches || !data.validation ? "" : ", ranks by energy, since a search would take longer than a preview should";
  return [`This is a preview: ${counts.join(", ")}${how}. Run the full analysis before you rely on the ranks.`];
}

/** What the preview itself took. */
export interface PreviewCost {
  readonly stages: Readonly<Record<string, number>>;
  readonly memory: ModelReport["cost"]["memory"];
  readonly cacheBytes: number;
}

/**
 * Extrapolates from the preview to the full run: what grows with the samples grows in proportion, the spectra stay. The
 * cache of activations grows up to its budget and then on disk.
 */
export function previewReport(
  subject: Subject,
  { data, full, searches, secondsPerSample }: PreviewData,
  { stages, memory, cacheBytes }: PreviewCost,
): NonNullable<ModelReport["preview"]> {
  const calibrationGrowth = full.calibration / data.calibration.count;
  const validationGrowth = data.validation ? full.validation / data.validation.count : 0;
  const decoding = data.decodedBytes > 0 ? calibrationGrowth : 1;
  const search = searches
    ? (stages.search ?? 0) * validationGrowth
    : secondsPerSample * searchWork(subject, data) * full.validation;
  const seconds =
    (stages.preparation ?? 0) * decoding +
    (stages.calibration ?? 0) * calibrationGrowth +
    (stages.spectra ?? 0) +
    search +
    ((stages.original ?? 0) + (stages.verification ?? 0)) * validationGrowth;
  const cached = searches ? memory.cache + memory.spilled : largestInput(subject, data);
  const fullCache = cached * validationGrowth;
  const inMemory = Math.min(fullCache, cacheBytes);
  return {
    calibration: { samples: data.calibration.count, of: full.calibration },
    validation: data.validation ? { samples: data.validation.count, of: full.validation } : null,
    fullRun: {
      seconds,
      memory: Math.round(
        memory.peak + Math.max(0, inMemory - memory.cache) + data.decodedBytes * Math.max(0, decoding - 1),
      ),
      disk: Math.round(fullCache - inMemory),
    },
  };
}

/** Bytes of the largest layer input over the validation data: about what a search would keep. */
function largestInput({ layers }: Subject, { probe, validation }: SubjectData): number {
  const inputs = layers.flatMap(({ uses }) => uses.map(({ input }) => probe.dims.get(input) ?? []));
  return (4 * Math.max(0, ...inputs.map(elementCount)) * (validation?.count ?? 0)) / probe.rows;
}
