import { constants, copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";

const MODEL = "model.onnx";

const FILES = [
  ...[MODEL, "model.ranklens.json"],
  ...["calibration_images.npy", "calibration_labels.npy", "validation_images.npy", "validation_labels.npy"],
];

/**
 * Copies the bundled example to where the user can change it. Files that are there already stay as they are.
 * @returns the path of its model.
 */
export function copySample(from: string, to: string): string {
  mkdirSync(to, { recursive: true });
  for (const name of FILES) {
    try {
      copyFileSync(path.join(from, name), path.join(to, name), constants.COPYFILE_EXCL);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
  return path.join(to, MODEL);
}
