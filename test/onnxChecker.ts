import { spawnSync } from "node:child_process";
import { expect, type TestContext } from "vitest";

/** Python with the Debian package python3-onnx. */
const PYTHON = "/usr/bin/python3";

let available: boolean | undefined;

/** Whether onnx's own checker is here; where it is not, that is said once. */
export function hasOnnx(): boolean {
  if (available === undefined) {
    available = spawnSync(PYTHON, ["-c", "import onnx"], { stdio: "ignore" }).status === 0;
    if (!available) {
      console.warn(`NOT TESTED: models by onnx's own checker, as ${PYTHON} has no module onnx (Debian: python3-onnx).`);
    }
  }
  return available;
}

/**
 * Has onnx's own checker look at a model file, with strict shape inference. Where it is not here, the test ends as skipped,
 * so that this belongs at its end.
 */
export function checkOnnx(context: TestContext, ...models: readonly string[]): void {
  if (!hasOnnx()) context.skip(`${PYTHON} has no module onnx (Debian: python3-onnx)`);
  for (const model of models) {
    const script = "import sys, onnx; onnx.checker.check_model(sys.argv[1], full_check=True)";
    const { status, stderr } = spawnSync(PYTHON, ["-c", script, model], { encoding: "utf8" });
    expect({ model, status, stderr }).toEqual({ model, status: 0, stderr: "" });
  }
}
