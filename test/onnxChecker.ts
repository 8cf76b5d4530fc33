import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const python = ["/usr/bin/python3", "python3"].find((command) => {
  return spawnSync(command, ["-c", "import onnx"], { stdio: "ignore" }).status === 0;
});

/** Whether the checker of the onnx package is at hand; says so where it is not. */
export function hasOnnxChecker(): boolean {
  if (python === undefined) {
    console.warn("onnx's checker is not installed (python3-onnx): models are not checked by it.");
  }
  return python !== undefined;
}

const SCRIPT = `
import sys, onnx
for path in sys.argv[1:]:
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:
        print(path.split("/")[-1] + ": " + str(error))
`;

/** What onnx's checker has against each of the models, by name; nothing where it accepts them all. */
export function refusedByOnnx(models: ReadonlyMap<string, Uint8Array>): string {
  if (python === undefined) throw new Error("onnx's checker is not installed");
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-check-"));
  try {
    const files = [...models].map(([name, bytes]) => {
      const file = path.join(folder, `${name.replace(/[^\w.-]+/g, "_")}.onnx`);
      writeFileSync(file, bytes);
      return file;
    });
    return execFileSync(python, ["-c", SCRIPT, ...files], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
