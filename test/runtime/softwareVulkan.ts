import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Where Debian's Chromium has a Vulkan driver that needs no graphics device, and the library that loads it. */
const CHROMIUM = "/usr/lib/chromium";

/** What a process needs in its environment for WebGPU in software; null where Chromium's driver is not at hand. */
export function softwareVulkan(): NodeJS.ProcessEnv | null {
  const driver = path.join(CHROMIUM, "vk_swiftshader_icd.json");
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(driver)) return null;
  return {
    VK_DRIVER_FILES: driver,
    // The name that older loaders know.
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: CHROMIUM,
    XDG_RUNTIME_DIR: mkdtempSync(path.join(tmpdir(), "ranklens-vulkan-")),
  };
}
