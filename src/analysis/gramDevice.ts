import type { Batches } from "../calibration/batches";
import { gramKey, type Layer } from "../layers/layer";
import type { OpenModel } from "../onnx/reader";
import type { Device } from "../runtime/executionProviders";
import { gramMatrices, type GramMatrices, type GramOptions } from "../runtime/gramGraph";
import { DEVICE_TOLERANCE } from "./device";

/**
 * The device for Gram matrices: `device` where it gives the processor's on the first batch, else the processor, and why. Right
 * scores do not vouch for it: the matrices come from operators that the model need not have.
 */
export async function gramDevice(
  model: OpenModel,
  layers: readonly Layer[],
  batches: Batches,
  device: Device,
  options: Pick<GramOptions, "dimsOf" | "rowsOf" | "signal">,
): Promise<{ device: Device; why: string | null }> {
  if (device === "cpu") return { device, why: null };
  const first: Batches = { ...batches, count: 1 };
  const onBatch = (): void => undefined;
  const expected = await gramMatrices(model, layers, first, { ...options, onBatch });
  const found = await gramMatrices(model, layers, first, { ...options, onBatch, device });
  for (const layer of layers) {
    const key = gramKey(layer);
    const difference = relativeDifference(found.get(key)!, expected.get(key)!);
    // Also where it is NaN.
    if (difference <= DEVICE_TOLERANCE) continue;
    const why =
      `Gram matrices were computed on the processor: on ${device} that of ${layer.name} is ${difference.toExponential(1)} from ` +
      `the processor's, relative to its norm (limit ${DEVICE_TOLERANCE}).`;
    return { device: "cpu", why };
  }
  return { device, why: null };
}

/** ‖A − B‖ / ‖B‖ over all groups (Frobenius norms); 0 where both are zero. */
function relativeDifference(found: GramMatrices, expected: GramMatrices): number {
  let difference = 0;
  let norm = 0;
  expected.forEach(({ matrix: { data } }, group) => {
    const other = found[group].matrix.data;
    for (let i = 0; i < data.length; i++) {
      difference += (other[i] - data[i]) ** 2;
      norm += data[i] ** 2;
    }
  });
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
