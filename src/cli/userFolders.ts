import path from "node:path";
import envPaths from "env-paths";

/** Names another folder than the user's; empty for none. */
const CACHE_VARIABLE = "RANKLENS_CACHE";

/**
 * Where the command line keeps results unless its flags say so: in the system's folder for what can be computed again.
 * Undefined for nowhere.
 */
export function defaultCacheFolder(): string | undefined {
  const named = process.env[CACHE_VARIABLE];
  return named === undefined ? userFolder("cache") : named || undefined;
}

/** Where the command line keeps what it installs: in the system's folder for users' data. Undefined where there is none. */
export function supportFolder(): string | undefined {
  return userFolder("data");
}

/** In containers a user may have no home: then there is no such folder, and none in the working directory either. */
function userFolder(kind: "cache" | "data"): string | undefined {
  try {
    const folder = envPaths("ranklens", { suffix: "" })[kind];
    return path.isAbsolute(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}
