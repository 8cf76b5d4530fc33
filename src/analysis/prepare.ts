import { cutIntoBatches, fixedBatchSize, type Batches } from "../calibration/batches";
import { openDataset, type Dataset } from "../calibration/dataset";
import type { ResolvedConfig } from "../config";
import { ExpectedError } from "../errors";
import { findLayers } from "../layers";
import type { Layer } from "../layers/layer";
import { readConstant } from "../onnx/constants";
import { indexGraph, type GraphIndex } from "../onnx/graphIndex";
import { openModel, type OpenModel } from "../onnx/reader";
import type { Node, ValueInfo } from "../onnx/schema";
import { elementCount, readSmallTensor } from "../onnx/tensor";
import { positionsPerSample, probeShapes, type Probe } from "../runtime/probe";

/** A model file with the layers that will be analysed. */
export interface Subject {
  readonly model: OpenModel;
  readonly index: GraphIndex;
  readonly layers: readonly Layer[];
  readonly skipped: readonly { name: string; op: string; reason: string }[];
  readonly warnings: readonly string[];
}

/** Opens the model and finds its layers; one with a weight that is not finite is left out, with a warning. */
export function openSubject(path: string): Subject {
  const model = openModel(path);
  try {
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
    if (layers.length === 0) {
      const rest = skipped.length === 0 ? "" : ` "ranklens inspect" lists ${skipped.length} others with the reason.`;
      throw new ExpectedError(`${path} has no analysable layer (MatMul, Gemm or Conv with a constant weight).${rest}`);
    }
    return { model, index, layers, skipped, warnings };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The data of an analysis, cut into batches for the model's input. */
export interface SubjectData {
  readonly input: ValueInfo;
  readonly calibration: Dataset;
  readonly validation: Dataset | null;
  readonly calibrationBatches: Batches;
  readonly validationBatches: Batches | null;
  readonly probe: Probe;
  /** Per layer: places per sample at which its weight is applied. */
  readonly positions: ReadonlyMap<Layer, number>;
  /** Share of the MACs of all analysed layers that lie in `nodes`; 1 for all of them. */
  readonly macShare: (nodes: ReadonlySet<Node>) => number;
}

/** Samples per batch: onnxruntime's throughput on small images is flat from 50 to 125. */
const BATCH = 100;
/** Larger samples come in smaller batches: their activations are many times their own size. */
const MOST_BATCH_BYTES = 64 * 2 ** 20;
/** The largest matrix of patches that a calibration batch may make. */
const MOST_PATCH_BYTES = 256 * 2 ** 20;

/** Opens the data that `config` names and runs the model on one batch for its shapes. */
export async function openData(subject: Subject, config: ResolvedConfig): Promise<SubjectData> {
  const { model, index, layers } = subject;
  if (!config.calibration) {
    throw new ExpectedError(
      `${model.path}: no calibration data. Name some in the config ("calibration": {"source": …}), or use --weights-only.`,
    );
  }
  const input = chooseInput(subject, config.preprocess?.input);
  const preprocess = config.preprocess ?? {};
  const calibration = openDataset(config.calibration, preprocess, input);
  const validation = config.validation ? openDataset(config.validation, preprocess, input) : null;
  const size = Math.max(1, Math.min(BATCH, Math.floor(MOST_BATCH_BYTES / calibration.sampleBytes)));
  const value = cutIntoBatches(calibration, input, 1).smallest();
  const probe = await probeShapes(model, index, layers, { name: input.name, value });
  const positions = new Map(layers.map((layer) => [layer, positionsPerSample(probe, layer)]));
  const patchBytes = Math.max(
    ...layers.map((layer) => 4 * layer.view.groups * layer.view.columns * positions.get(layer)!),
  );
  const calibrationSize = Math.max(1, Math.min(size, Math.floor(MOST_PATCH_BYTES / patchBytes)));
  const calibrationBatches = cutIntoBatches(calibration, input, calibrationSize);
  const fixed = fixedBatchSize(input);
  if (fixed !== null && calibration.count < fixed) {
    throw new ExpectedError(
      `${model.path} takes batches of exactly ${fixed} samples; the calibration data has ${calibration.count}.`,
    );
  }
  return {
    input,
    calibration,
    validation,
    calibrationBatches,
    validationBatches: validation ? cutIntoBatches(validation, input, size) : null,
    probe,
    positions,
    macShare: macShares(layers, probe),
  };
}

function chooseInput({ model, index }: Subject, wanted: string | undefined): ValueInfo {
  const names = index.dataInputs.map(({ name }) => `"${name}"`).join(", ");
  const [only, ...others] = index.dataInputs;
  if (!only) throw new ExpectedError(`${model.path} has no input: there is nothing to feed data to.`);
  if (others.length > 0) {
    throw new ExpectedError(
      `${model.path} has ${index.dataInputs.length} inputs (${names}); this version feeds models with one input.`,
    );
  }
  if (wanted !== undefined && wanted !== only.name) {
    throw new ExpectedError(`preprocess.input is "${wanted}", but the model's input is ${names}.`);
  }
  return only;
}

function macShares(layers: readonly Layer[], probe: Probe): (nodes: ReadonlySet<Node>) => number {
  const macs = new Map<Node, number>();
  for (const { uses, view } of layers) {
    for (const { node, output } of uses) {
      // Every output element costs one row of W.
      macs.set(node, elementCount(probe.dims.get(output) ?? []) * view.columns);
    }
  }
  const total = [...macs.values()].reduce((sum, value) => sum + value, 0);
  return (nodes) => {
    let part = 0;
    for (const node of nodes) part += macs.get(node) ?? 0;
    return total === 0 ? 1 : part / total;
  };
}
