import { cutIntoBatches, fixedBatchSize, type Batches } from "../calibration/batches";
import { checkSameClasses, isSameSource } from "../calibration/compare";
import { openDataset, type Dataset } from "../calibration/dataset";
import type { DataConfig, ResolvedConfig } from "../config";
import { ExpectedError } from "../errors";
import { findLayers } from "../layers";
import { parameterCount, type Layer } from "../layers/layer";
import { readConstant } from "../onnx/readConstant";
import { checkExternalTensors } from "../onnx/externalData";
import { externalTensors } from "../onnx/externalTensors";
import { indexGraph, type GraphIndex } from "../onnx/graphIndex";
import { openModel, type OpenModel } from "../onnx/reader";
import type { Node, ValueInfo } from "../onnx/schema";
import { readSmallTensor } from "../onnx/tensor";
import type { SamplePair } from "../runtime/batchDependence";
import type { DeviceChoice } from "../runtime/executionProviders";
import { positionsPerSample, probeShapes, usePositions, type Probe } from "../runtime/probe";
import type { MetricChoice } from "../metricNames";
import { gramBatchSize } from "./calibrate";
import { chooseDevice, type ChosenDevice } from "./device";
import { chooseModelOutput, outputOn, type ModelOutput } from "./metrics/modelOutput";
import { imageProgress, type AnalysisEvent } from "./progress";

/** A model file with the layers that will be analysed. */
export interface Subject {
  readonly model: OpenModel;
  readonly index: GraphIndex;
  readonly layers: readonly Layer[];
  readonly skipped: readonly { name: string; op: string; reason: string }[];
  readonly warnings: readonly string[];
}

/** What is said of a model without analysable layers. */
export function noLayer(path: string): string {
  return `${path} has no analysable layer (Conv, MatMul, Gemm or another product with a constant weight).`;
}

/**
 * Opens the model and finds its layers; one with a weight that is not finite is left out, with a warning.
 * @throws ExpectedError if it is no model, or has no layer, unless it may be empty.
 */
export function openSubject(path: string, { mayBeEmpty = false } = {}): Subject {
  const model = openModel(path);
  try {
    checkExternalTensors(model.wire.source, externalTensors(model));
    const index = indexGraph(model.graph, (tensor) => readSmallTensor(model.wire, tensor));
    const found = findLayers(index);
    const skipped = [...found.skipped];
    const warnings: string[] = [];
    const layers = found.layers.filter((layer) => {
      const elements = readConstant(model.wire, layer.weight);
      const at = elements.findIndex((value) => !Number.isFinite(value));
      if (at < 0) return true;
      const reason = `its weight is not finite: element ${at} is ${elements[at]}`;
      skipped.push({ name: layer.name, op: layer.op, reason });
      warnings.push(`Layer ${layer.name} is left out: ${reason}.`);
      return false;
    });
    if (layers.length === 0 && !mayBeEmpty) {
      const rest = ` "ranklens inspect" lists what else there is (${skipped.length}), with the reasons.`;
      throw new ExpectedError(noLayer(path) + (skipped.length === 0 ? "" : rest));
    }
    return { model, index, layers, skipped, warnings };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The data of an analysis, cut into batches for the model's inputs. */
export interface SubjectData {
  readonly calibration: Dataset;
  readonly validation: Dataset | null;
  readonly calibrationBatches: Batches;
  readonly validationBatches: Batches | null;
  /** Whether accuracy is measured on the samples that the layers are measured on. */
  readonly validationIsCalibration: boolean;
  /** Bytes of decoded images that are kept in memory, of both. */
  readonly decodedBytes: number;
  readonly probe: Probe;
  /** The output that is measured, on the validation data; null where none can be, or there is no such data. */
  readonly output: ModelOutput | null;
  readonly metric: MetricChoice;
  /** What runs the model from here on; the probe ran on the processor. */
  readonly device: ChosenDevice;
  /** What it could not run after all, and where that ran: for the report's warnings. */
  readonly fallbacks: string[];
  /** Per layer: places per sample at which its weight is applied. */
  readonly positions: ReadonlyMap<Layer, number>;
  /** Share of the MACs of all analysed layers that lie in `nodes`; 1 for all of them. */
  readonly macShare: (nodes: ReadonlySet<Node>) => number;
  /** Of all analysed layers. */
  readonly macsPerSample: number;
}

/** Samples per batch: onnxruntime's throughput on small images is flat from 50 to 125. */
const BATCH = 100;
/** Larger samples come in smaller batches: their activations are many times their own size. */
const MOST_BATCH_BYTES = 64 * 2 ** 20;

/** How opening data tells its progress, and is stopped. */
export interface DataOptions {
  /** Asked for, or chosen before; the processor where it is left out. */
  readonly device?: DeviceChoice | ChosenDevice;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AnalysisEvent) => void;
}

/** Opens the data that `config` names (images are decoded here) and runs the model on one batch for its shapes. */
export async function openData(
  subject: Subject,
  config: ResolvedConfig,
  { signal, device = "cpu", onEvent = () => undefined }: DataOptions = {},
): Promise<SubjectData> {
  const { model, index, layers } = subject;
  if (!config.calibration) {
    throw new ExpectedError(
      `${model.path}: no calibration data. Name some in the config ("calibration": {"source": …}), or use --weights-only.`,
    );
  }
  const inputs = index.dataInputs;
  if (inputs.length === 0) throw new ExpectedError(`${model.path} has no input: there is nothing to feed data to.`);
  const preprocess = config.preprocess ?? {};
  const open = (which: "calibration" | "validation", data: DataConfig): Promise<Dataset> =>
    openDataset(data, preprocess, inputs, {
      signal,
      onProgress: imageProgress(which, onEvent),
      constants: config.inputs,
      modelFolder: model.folder,
    });
  const calibration = await open("calibration", config.calibration);
  const validation = config.validation ? await open("validation", config.validation) : null;
  if (validation) checkSameClasses(calibration, validation);
  const most = Math.max(1, Math.floor(MOST_BATCH_BYTES / calibration.sampleBytes));
  const smallest = cutIntoBatches(calibration, inputs, 1).smallest();
  const probe = await probeShapes(model, index, layers, smallest, samplePair(calibration, inputs));
  const measures = validation !== null || config.output !== undefined;
  const positions = new Map(layers.map((layer) => [layer, positionsPerSample(probe, layer)]));
  const calibrationSize = Math.min(gramBatchSize(layers, positions), most);
  const calibrationBatches = cutIntoBatches(calibration, inputs, calibrationSize);
  const fixed = fixedBatchSize(inputs, calibration);
  if (fixed !== null && calibration.count < fixed) {
    throw new ExpectedError(
      `${model.path} takes batches of exactly ${fixed} samples; the calibration data has ${calibration.count}. Use at least ${fixed}.`,
    );
  }
  const validationBatches = validation ? cutIntoBatches(validation, inputs, Math.min(BATCH, most)) : null;
  const output = measures ? chooseModelOutput(index, probe, model.path, config.output) : null;
  return {
    calibration,
    validation,
    calibrationBatches,
    validationBatches,
    validationIsCalibration: validation ? await isSameSource(calibration, validation) : false,
    decodedBytes: calibration.decodedBytes + (validation?.decodedBytes ?? 0),
    probe,
    output:
      output && validationBatches ? await outputOn(output, probe, model.path, validationBatches.smallest()) : output,
    metric: config.metric ?? "auto",
    device: typeof device === "string" ? await chooseDevice(device, model.path, calibrationBatches, signal) : device,
    fallbacks: [],
    positions,
    macShare: macShares(layers, probe),
    macsPerSample: layers.reduce((sum, layer) => sum + parameterCount(layer.view) * positions.get(layer)!, 0),
  };
}

/** The first two samples, where the model takes batches of any size. */
function samplePair(calibration: Dataset, inputs: readonly ValueInfo[]): SamplePair | null {
  if (calibration.count < 2 || fixedBatchSize(inputs, calibration) !== null) return null;
  const single = cutIntoBatches(calibration, inputs, 1);
  const [first, second] = [single.batch(0).values, single.batch(1).values];
  return { first, second, both: cutIntoBatches(calibration, inputs, 2).batch(0).values };
}

function macShares(layers: readonly Layer[], probe: Probe): (nodes: ReadonlySet<Node>) => number {
  const macs = new Map<Node, number>();
  for (const { uses, view } of layers) {
    for (const use of uses) {
      macs.set(use.node, (macs.get(use.node) ?? 0) + usePositions(probe, use) * parameterCount(view));
    }
  }
  const total = [...macs.values()].reduce((sum, value) => sum + value, 0);
  return (nodes) => {
    let part = 0;
    for (const node of nodes) part += macs.get(node) ?? 0;
    return total === 0 ? 1 : part / total;
  };
}
