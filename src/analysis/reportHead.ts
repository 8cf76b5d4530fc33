import { bytesWithData } from "../onnx/externalTensors";
import { modelParameters } from "../onnx/parameters";
import { sha256OfModel } from "../onnx/sha256";
import { REPORT_SCHEMA_VERSION, reportTotals, type LayerReport, type ModelReport } from "../report";
import type { Subject } from "./prepare";

/** What every report begins with: the model, the device, the totals over `layers`. */
export async function reportHead(
  { model, index, skipped }: Subject,
  layers: readonly LayerReport[],
  device: ModelReport["device"],
): Promise<Pick<ModelReport, "schemaVersion" | "model" | "device" | "totals" | "skipped" | "compressed">> {
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    model: {
      path: model.path,
      sha256: await sha256OfModel(model),
      bytes: bytesWithData(model),
      opset: model.opsets.get("") ?? 0,
    },
    device,
    totals: reportTotals(layers, modelParameters(index)),
    skipped: [...skipped],
    compressed: null,
  };
}
