import { ExpectedError } from "../errors";
import { gramKey, type Layer } from "../layers/layer";
import { gramMatrices, MOST_HALVED_FEATURES, type GramMatrices } from "../runtime/gramGraph";
import { gramDevice } from "./gramDevice";
import type { Subject, SubjectData } from "./prepare";

/** Gram matrices are kept for as many layers at once as fit in here (float64). */
const MOST_GRAM_BYTES = 1024 * 2 ** 20;

/** Rows of features in a batch, at which reading the Gram matrices back takes a few percent of the time to make them. */
const ROWS_PER_BATCH = 4096;
/** The largest matrix of features that a batch may make. */
const MOST_FEATURE_BYTES = 256 * 2 ** 20;

/**
 * Samples per calibration batch: as few as keep the read-back cheap, since small batches stay in the processor's caches.
 * `positions` are a layer's places per sample.
 */
export function gramBatchSize(layers: readonly Layer[], positions: ReadonlyMap<Layer, number>): number {
  let products = 0;
  let results = 0;
  let featureBytes = 0;
  for (const layer of layers) {
    const { groups, columns } = layer.view;
    const rows = positions.get(layer)!;
    products += rows * groups * columns ** 2;
    results += groups * columns ** 2;
    featureBytes = Math.max(featureBytes, 4 * rows * groups * columns);
  }
  const size = Math.min(
    Math.ceil((ROWS_PER_BATCH * results) / products),
    Math.floor(MOST_FEATURE_BYTES / featureBytes),
  );
  return Math.max(1, size);
}

/** Layers in groups whose Gram matrices fit in memory together. */
export function gramGroups(layers: readonly Layer[]): Layer[][] {
  const groups: Layer[][] = [];
  let bytes = Infinity;
  for (const layer of layers) {
    const { groups: parts, columns } = layer.view;
    const halves = columns <= MOST_HALVED_FEATURES ? 1 : 0;
    const size = 8 * (1 + halves) * parts * columns * columns;
    if (bytes + size > MOST_GRAM_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups[groups.length - 1].push(layer);
    bytes += size;
  }
  return groups;
}

/** Gram matrices of the inputs of `layers` on the calibration data. @throws ExpectedError if they are not finite. */
export async function calibrate(
  { model }: Subject,
  data: SubjectData,
  layers: readonly Layer[],
  signal: AbortSignal | undefined,
  onBatch: (samples: number) => void,
): Promise<Map<string, GramMatrices>> {
  const options = {
    dimsOf: (value: string) => data.probe.dims.get(value)!,
    rowsOf: (layer: Layer) => data.calibration.count * data.positions.get(layer)!,
    signal,
  };
  const { device, why } = await gramDevice(model, layers, data.calibrationBatches, data.device.used, options);
  if (why !== null) data.fallbacks.push(why);
  const grams = await gramMatrices(model, layers, data.calibrationBatches, { ...options, device, onBatch });
  for (const layer of layers) {
    const finite = grams.get(gramKey(layer))!.every(({ matrix }) => matrix.data.every(Number.isFinite));
    if (finite) continue;
    throw new ExpectedError(
      `${model.path}: the input of layer ${layer.name} is not finite on the calibration data, or its squares are too ` +
        `large for float32: check the preprocessing, and the weights with "ranklens analyze --weights-only".`,
    );
  }
  return grams;
}
