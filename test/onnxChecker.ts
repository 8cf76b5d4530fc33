import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

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

/** The same for models in memory, by their names. */
export function checkOnnxBytes(models: ReadonlyMap<string, Uint8Array>): void {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-check-"));
  try {
    const files = [...models].map(([name, bytes]) => {
      const file = path.join(folder, `${name.replace(/[^\w.-]+/g, "_")}.onnx`);
      writeFileSync(file, bytes);
      return file;
    });
    checkOnnx(...files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
