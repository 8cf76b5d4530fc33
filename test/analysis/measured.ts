import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { writeFileSync } from "node:fs";
import type { ResolvedConfig } from "../../src/config";
import { floats } from "../fixtures/data";
import { FEATURES } from "../fixtures/modelNetworks";
import { POSITIONS, sequences } from "../fixtures/modelOutputs";
import { writeNpy } from "../fixtures/npy";

/** Samples in the data of every model here: no multiple of a fixed batch size of 8. */
export const SAMPLES = 44;

export interface Place {
  readonly model: string;
  readonly config: ResolvedConfig;
  readonly remove: () => void;
}

/** A folder with a model and data for it: random features, or tokens, of which every third sample is padded if there is a mask. */
export function place(bytes: Uint8Array, data: "features" | "tokens" | "masked tokens"): Place {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-metrics-"));
  const model = path.join(folder, "model.onnx");
  writeFileSync(model, bytes);
  const at = (name: string): string => path.join(folder, `${name}.npy`);
  const features = (): string => writeNpy(at("x"), "float32", [SAMPLES, FEATURES], floats(SAMPLES * FEATURES, 3));
  const ids = (): string => writeNpy(at("ids"), "int64", [SAMPLES, POSITIONS], sequences(SAMPLES));
  const mask = (): string => writeNpy(at("mask"), "int64", [SAMPLES, POSITIONS], attention());
  const source =
    data === "features" ? features() : data === "tokens" ? ids() : { input_ids: ids(), attention_mask: mask() };
  return {
    model,
    config: { tolerance: 2, calibration: { source }, validation: { source } },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export function attention(): BigInt64Array {
  return BigInt64Array.from({ length: SAMPLES * POSITIONS }, (_, at) => {
    const [sample, position] = [Math.floor(at / POSITIONS), at % POSITIONS];
    return BigInt(sample % 3 === 0 && position > 5 ? 0 : 1);
  });
}
