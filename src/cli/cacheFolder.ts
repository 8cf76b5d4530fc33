import envPaths from "env-paths";

/** Names another folder than the user's; empty for none. */
const VARIABLE = "RANKLENS_CACHE";

/**
 * Where the command line keeps results unless its flags say so: in the system's folder for what can be computed again.
 * Undefined for nowhere.
 */
export function defaultCacheFolder(): string | undefined {
  const named = process.env[VARIABLE];
  return named === undefined ? envPaths("ranklens", { suffix: "" }).cache : named || undefined;
}
