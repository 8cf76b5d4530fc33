import { bytesWithData } from "../onnx/externalTensors";
import { modelParameters } from "../onnx/parameters";
import { REPORT_SCHEMA_VERSION, reportTotals, type LayerReport, type ModelReport } from "../report";
import type { Subject } from "./prepare";

/** What every report begins with: the model (`sha256` is what it was when it was opened), the device, the totals over `layers`. */
export function reportHead(
  { model, index, skipped }: Subject,
  layers: readonly LayerReport[],
  device: ModelReport["device"],
  sha256: string,
): Pick<ModelReport, "schemaVersion" | "model" | "device" | "totals" | "skipped" | "compressed"> {
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    model: {
      path: model.path,
      sha256,
      bytes: bytesWithData(model),
      opset: model.opsets.get("") ?? 0,
    },
    device,
    totals: reportTotals(layers, modelParameters(index)),
    skipped: [...skipped],
    compressed: null,
  };
}
