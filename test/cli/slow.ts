import type { Lab } from "./lab";
import { images, SLOW_IMAGE, slowCnn } from "./models";

const SAMPLES = 1000;

/** `slow.onnx` with its config: analysing it takes several seconds, and so does running the compressed model. */
export function writeSlow(lab: Lab): void {
  lab.write("slow.onnx", slowCnn());
  lab.array("slow.npy", "float32", [SAMPLES, ...SLOW_IMAGE], images(SAMPLES, SLOW_IMAGE, 5));
  lab.json("slow.ranklens.json", {
    calibration: { source: "slow.npy", limit: 100 },
    validation: { source: "slow.npy" },
    tolerance: 2,
  });
}
