import { parseByteSize } from "./text/numbers";

/** Less would not hold one batch of a small model: somebody forgot the unit. */
const LEAST_MEMORY = 1024 * 1024;

/** What {@link parseMemorySize} takes, for messages. */
export const MEMORY_SIZE = "a size of at least 1MB, such as 512MB or 2GB";

/** A size of memory for an analysis in bytes; null if it is none, or too little. */
export function parseMemorySize(text: string): number | null {
  const bytes = parseByteSize(text);
  return bytes !== null && bytes >= LEAST_MEMORY ? bytes : null;
}
