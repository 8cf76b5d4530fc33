import { shortName } from "../../src/text/names";

const LONGEST_FILE_NAME = 80;

/** "net.onnx", "features.3 spectra" → "net-features.3-spectra.png": letters, digits and dots, and not too long. */
export function pngName(...parts: readonly string[]): string {
  const words = parts.map((part) => shortName(part).replace(/\.onnx$/i, ""));
  const safe = words.join("-").replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+|-+$/g, ""); // prettier-ignore
  return `${safe.slice(0, LONGEST_FILE_NAME) || "chart"}.png`;
}
