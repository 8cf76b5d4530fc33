import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { isExpected } from "../errors";
import { cudaPackage, type CudaPackage } from "../runtime/cudaPackage";
import { RUNTIME_LIBRARY } from "../runtime/providersHere";
import { TENSORFLOW_FOLDER, TENSORFLOW_PACKAGE } from "../tensorflow/nodeBackend";
import { writing } from "../unwritable";

/** What can be installed beside RankLens: onnxruntime's CUDA provider, and TensorFlow as an eigensolver. */
export const supportKinds = ["cuda", "tensorflow"] as const;
export type SupportKind = (typeof supportKinds)[number];

const CUDA_FOLDER = /^onnxruntime-.+-cuda$/;

/** The folder of a kind within the folder of all; null where there is nothing of the kind for this platform. */
export function placeOf(kind: SupportKind, root: string): string | null {
  if (kind === "tensorflow") return path.join(root, "tensorflow");
  const cuda = knownPackage();
  return cuda && path.join(root, `onnxruntime-${cuda.version}-cuda`);
}

/** Null also where onnxruntime does not say: an analysis does without. */
function knownPackage(): CudaPackage | null {
  try {
    return cudaPackage();
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

/** The folder of what is installed; null where it is not. */
export function installed(kind: SupportKind, root: string): string | null {
  const folder = placeOf(kind, root);
  const proof = kind === "cuda" ? RUNTIME_LIBRARY : path.join("node_modules", TENSORFLOW_PACKAGE);
  return folder !== null && existsSync(path.join(folder, proof)) ? folder : null;
}

/** The folders of a kind that are there, also those for another version of onnxruntime, which none that is here loads. */
export function foldersOf(kind: SupportKind, root: string): string[] {
  const names = existsSync(root) ? readdirSync(root) : [];
  const own = names.filter((name) => (kind === "cuda" ? CUDA_FOLDER.test(name) : name === "tensorflow"));
  return own.map((name) => path.join(root, name));
}

/**
 * Removes a kind, also what is there for another version of onnxruntime.
 * @param but a folder that stays.
 * @returns whether there was anything.
 * @throws ExpectedError where something cannot be removed.
 */
export function removeSupport(kind: SupportKind, root: string, but: string | null = null): boolean {
  const own = foldersOf(kind, root).filter((folder) => folder !== but);
  for (const folder of own) writing(folder, () => rmSync(folder, { recursive: true, force: true }), "removed");
  return own.length > 0;
}

/** What an analysis process needs in its environment to find what is installed. A package that the user names stays. */
export function supportEnvironment(root: string): Record<string, string> {
  if (!existsSync(root)) return {};
  const cuda = installed("cuda", root);
  const tensorflow = process.env[TENSORFLOW_FOLDER] ? null : installed("tensorflow", root);
  const searched = process.env.LD_LIBRARY_PATH;
  return {
    ...(cuda === null ? {} : { LD_LIBRARY_PATH: searched ? `${cuda}${path.delimiter}${searched}` : cuda }),
    ...(tensorflow === null ? {} : { [TENSORFLOW_FOLDER]: tensorflow }),
  };
}
