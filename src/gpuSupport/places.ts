import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { cudaPackage } from "../runtime/cudaPackage";
import { RUNTIME_LIBRARY } from "../runtime/providersHere";
import { TENSORFLOW_FOLDER, TENSORFLOW_PACKAGE } from "../tensorflow/nodeBackend";

/** What can be installed beside RankLens: onnxruntime's CUDA provider, and TensorFlow as an eigensolver. */
export const supportKinds = ["cuda", "tensorflow"] as const;
export type SupportKind = (typeof supportKinds)[number];

const CUDA_FOLDER = /^onnxruntime-.+-cuda$/;

/** The folder of a kind within the folder of all; null where there is nothing of the kind for this platform. */
export function placeOf(kind: SupportKind, root: string): string | null {
  if (kind === "tensorflow") return path.join(root, "tensorflow");
  const cuda = cudaPackage();
  return cuda && path.join(root, `onnxruntime-${cuda.version}-cuda`);
}

/** The folder of what is installed; null where it is not. */
export function installed(kind: SupportKind, root: string): string | null {
  const folder = placeOf(kind, root);
  const proof = kind === "cuda" ? RUNTIME_LIBRARY : path.join("node_modules", TENSORFLOW_PACKAGE);
  return folder !== null && existsSync(path.join(folder, proof)) ? folder : null;
}

/**
 * Removes a kind, also what is there for another version of onnxruntime.
 * @param but a folder that stays.
 * @returns whether there was anything.
 */
export function removeSupport(kind: SupportKind, root: string, but: string | null = null): boolean {
  const names = existsSync(root) ? readdirSync(root) : [];
  const own = names
    .filter((name) => (kind === "cuda" ? CUDA_FOLDER.test(name) : name === "tensorflow"))
    .map((name) => path.join(root, name))
    .filter((folder) => folder !== but);
  for (const folder of own) rmSync(folder, { recursive: true, force: true });
  return own.length > 0;
}

/** What an analysis process needs in its environment to find what is installed. */
export function supportEnvironment(root: string): Record<string, string> {
  const cuda = installed("cuda", root);
  const tensorflow = installed("tensorflow", root);
  const searched = process.env.LD_LIBRARY_PATH;
  return {
    ...(cuda === null ? {} : { LD_LIBRARY_PATH: searched ? `${cuda}${path.delimiter}${searched}` : cuda }),
    ...(tensorflow === null ? {} : { [TENSORFLOW_FOLDER]: tensorflow }),
  };
}
