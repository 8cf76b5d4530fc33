import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { ExecutionProvider } from "./executionProviders";

/** Where Linux shows graphics devices: Mesa's and most others, NVIDIA's own, and that of Windows's Linux. */
const LINUX_DEVICES = [/^nvidia\d+$/, /^dxg$/];

const PLATFORM = `${process.platform}-${process.arch}`;

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
  if (library !== null && !existsSync(path.join(binaryFolder(), library))) {
    return "not installed";
  }
  if (name === "cpu" || process.platform !== "linux" || linuxHasGraphics()) return null;
  return "no graphics device found";
}

/** The folder of onnxruntime's libraries, beside which it looks for those of providers. */
function binaryFolder(): string {
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
