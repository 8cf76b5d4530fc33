import { spawnSync } from "node:child_process";

/** Python with the Debian package python3-onnx. */
export const PYTHON = "/usr/bin/python3";

let available: boolean | undefined;

/** Whether Python's package onnx is here; where it is not, that is said once. */
export function hasOnnx(): boolean {
  if (available === undefined) {
    available = spawnSync(PYTHON, ["-c", "import onnx"], { stdio: "ignore" }).status === 0;
    if (!available) {
      console.warn(`NOT TESTED: models by onnx's own checker, as ${PYTHON} has no module onnx (Debian: python3-onnx).`);
    }
  }
  return available;
}

/** Has onnx's own checker look at model files, with strict shape inference. Only where {@link hasOnnx}. */
export function checkOnnx(...models: readonly string[]): void {
  const script = "import sys, onnx\nfor f in sys.argv[1:]: onnx.checker.check_model(f, full_check=True)";
  const { status, stderr } = spawnSync(PYTHON, ["-c", script, ...models], { encoding: "utf8" });
  if (status !== 0) throw new Error(`onnx's checker refuses one of ${models.join(", ")}: ${stderr}`);
}
