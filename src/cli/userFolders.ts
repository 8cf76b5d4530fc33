import envPaths from "env-paths";

const folders = envPaths("ranklens", { suffix: "" });

/** Names another folder than the user's; empty for none. */
const CACHE_VARIABLE = "RANKLENS_CACHE";

/**
 * Where the command line keeps results unless its flags say so: in the system's folder for what can be computed again.
 * Undefined for nowhere.
 */
export function defaultCacheFolder(): string | undefined {
  const named = process.env[CACHE_VARIABLE];
  return named === undefined ? folders.cache : named || undefined;
}

/** Where the command line keeps what it installs: in the system's folder for users' data. */
export const supportFolder = folders.data;
