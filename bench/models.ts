// The trained models that the comparisons are made on.
import path from "node:path";
import { configFor, type ResolvedConfig } from "../src/config";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";

export interface TrainedModel {
  readonly name: string;
  readonly path: string;
  readonly config: ResolvedConfig;
  /** Points, at which the model is compared. */
  readonly tolerances: readonly number[];
  /** The one of them at which its layers are shown. */
  readonly tolerance: number;
}

/** Few, some and many parameters go. */
const TOLERANCES: readonly number[] = [0.1, 0.5, 2];

export function bundledExample(): TrainedModel {
  const file = path.join("examples", "shapes", "model.onnx");
  const config = configFor(file);
  return { name: "Bundled example", path: file, config, tolerances: TOLERANCES, tolerance: 0.1 };
}

/** None where the reference data is missing, which is said. */
export function referenceModels(): TrainedModel[] {
  const missing = missingReference();
  if (missing !== undefined) {
    console.log(`SKIPPED ResNet-20: ${missing}`);
    return [];
  }
  const resnet = (file: string): Omit<TrainedModel, "name" | "tolerances"> => ({
    path: path.join(referenceFolder, "models", file),
    config: cifarConfig(),
    tolerance: 0.5,
  });
  return [
    { ...resnet("resnet20.onnx"), name: "ResNet-20 on CIFAR-10", tolerances: TOLERANCES },
    // The same network; what is fused scales the rows of W, which a plain decomposition depends on.
    { ...resnet("resnet20_bn.onnx"), name: "ResNet-20 with BatchNorm not fused", tolerances: [0.5] },
  ];
}
