import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { executionProviders, type ExecutionProvider } from "./executionProviders";
import { describeMissing, missingLibraries } from "./missingLibraries";

/** Where Linux shows graphics devices: Mesa's and most others, NVIDIA's own, and that of Windows's Linux. */
const LINUX_DEVICES = [/^nvidia\d+$/, /^dxg$/];

const PLATFORM = `${process.platform}-${process.arch}`;

/** The reason of a provider that its user can install. */
export const NOT_INSTALLED = "not installed";

export function isForPlatform({ platforms }: ExecutionProvider): boolean {
  return platforms.includes(PLATFORM);
}

/**
 * Why a provider cannot work on this machine, as far as that can be told without loading it (loading one that cannot work
 * costs time, and messages on stderr that nobody asked for); null where it may.
 */
export function whyAbsent(provider: ExecutionProvider): string | null {
  const { name, library } = provider;
  if (!isForPlatform(provider)) return `onnxruntime has none for ${PLATFORM}`;
  if (library !== null) {
    const file = path.join(runtimeFolder(), library);
    if (!existsSync(file)) return NOT_INSTALLED;
    const missing = describeMissing(missingLibraries(file));
    if (missing !== null) return missing;
  }
  if (name === "cpu" || process.platform !== "linux" || linuxHasGraphics()) return null;
  return "no graphics device found";
}

/** Onnxruntime's own library on Linux. It looks for those of providers in the folder that it was loaded from. */
export const RUNTIME_LIBRARY = "libonnxruntime.so.1";

/** That folder: the loader searches LD_LIBRARY_PATH before the package, whose path the binding has as its RUNPATH. */
function runtimeFolder(): string {
  const searched = process.platform === "linux" ? (process.env.LD_LIBRARY_PATH ?? "").split(path.delimiter) : [];
  const found = searched.find((folder) => folder !== "" && existsSync(path.join(folder, RUNTIME_LIBRARY)));
  return found ?? binaryFolder();
}

/** The providers but the processor that onnxruntime has for this platform without anything being installed. */
export function includedProviders(): ExecutionProvider[] {
  return executionProviders.filter((one) => one.name !== "cpu" && one.library === null && isForPlatform(one));
}

/** The folder of onnxruntime's libraries in its package. */
export function binaryFolder(): string {
  const entry = require.resolve("onnxruntime-node");
  return path.join(path.dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
}

function linuxHasGraphics(): boolean {
  // Whoever names a driver wants it used; software drivers need no device.
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return true;
  const holds = (folder: string, patterns: readonly RegExp[]): boolean => {
    try {
      return readdirSync(folder).some((name) => patterns.some((pattern) => pattern.test(name)));
    } catch {
      return false;
    }
  };
  return holds("/dev", LINUX_DEVICES) || holds("/dev/dri", [/^renderD\d+$/]);
}
