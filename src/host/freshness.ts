import { statSync } from "node:fs";
import { openModel, type OpenModel } from "../onnx/reader";
import { sha256OfModel } from "../onnx/sha256";
import { externalFiles } from "../onnx/writer";
import type { ModelReport } from "../report";

function modelFiles(model: OpenModel): readonly string[] {
  return [model.path, ...externalFiles(model).map(({ path }) => path)];
}

/** The files of a model: its own, and its external data. @throws ExpectedError if it cannot be read. */
export function filesOf(modelPath: string): readonly string[] {
  const model = openModel(modelPath);
  try {
    return modelFiles(model);
  } finally {
    model.close();
  }
}

/**
 * Sizes and times of a model's files, as text: as long as it stays the same, so do the files (for as much as a file system
 * can tell without reading them). @throws if one of them is missing.
 */
export function fingerprint(files: readonly string[]): string {
  return files
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${size} ${mtimeMs} ${file}`;
    })
    .join("\n");
}

/**
 * Whether a report was made of a model as it is now. The bytes are read only where the fingerprint is another one than when
 * it was last known to be so. @throws ExpectedError if the model cannot be read.
 */
export async function belongsTo(report: ModelReport, modelPath: string, known: string | null): Promise<boolean> {
  const model = openModel(modelPath);
  try {
    if (known !== null && fingerprint(modelFiles(model)) === known) return true;
    return (await sha256OfModel(model)) === report.model.sha256;
  } finally {
    model.close();
  }
}
