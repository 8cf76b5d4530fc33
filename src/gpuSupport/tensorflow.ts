import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { peerDependencies } from "../../package.json";
import { ExpectedError, systemCode } from "../errors";
import { stageFolder } from "../stageFolder";
import { TENSORFLOW_PACKAGE } from "../tensorflow/nodeBackend";
import { writing } from "../unwritable";
import { placeOf } from "./places";

export interface InstallTensorflowOptions {
  /** What npm installs: a version of the package, or a file, a folder or an address with it. Default: what RankLens was made for. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What npm says. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** npm's last lines, of which one says what went wrong. */
const OUTPUT_TAIL = 8192;

/**
 * Installs the package with TensorFlow for CUDA GPUs by the user's npm, whose settings (registry, proxy) it follows. The
 * package's own script downloads libtensorflow.
 * @param root the folder of all that is installed.
 * @returns the folder that has it in its node_modules.
 * @throws ExpectedError where it cannot be had, in one line; what was installed before is then as it was.
 */
export async function installTensorflow(root: string, options: InstallTensorflowOptions = {}): Promise<string> {
  const target = placeOf("tensorflow", root)!;
  const staged = stageFolder(target);
  try {
    const folder = staged.temporary;
    // npm 11 runs the scripts of those packages alone that are named.
    const own = { private: true, allowScripts: { [TENSORFLOW_PACKAGE]: true } };
    writing(target, () => writeFileSync(path.join(folder, "package.json"), JSON.stringify(own)));
    const from = options.from ?? peerDependencies[TENSORFLOW_PACKAGE];
    // npm does not run where the user is.
    const source = existsSync(from) ? path.resolve(from) : from;
    await npmInstall(`${TENSORFLOW_PACKAGE}@${source}`, folder, options);
    if (!existsSync(path.join(folder, "node_modules", TENSORFLOW_PACKAGE))) {
      throw new ExpectedError(`npm has installed something else than ${TENSORFLOW_PACKAGE}.`);
    }
    staged.commit();
    return target;
  } finally {
    staged.discard();
  }
}

/** Within `folder`: on its command line a path would have to be quoted for the shell that Windows needs. */
function npmInstall(what: string, folder: string, { signal, onOutput }: InstallTensorflowOptions): Promise<void> {
  signal?.throwIfAborted();
  const isWindows = process.platform === "win32";
  const args = ["install", "--prefix", ".", "--install-links", "--no-audit", "--no-fund", "--no-progress"];
  return new Promise((resolve, reject) => {
    const child = spawn("npm", [...args, isWindows ? `"${what}"` : what], {
      cwd: folder,
      shell: isWindows,
      // A group of its own, so that the scripts which it runs end with it.
      detached: !isWindows,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const end = (): void => {
      if (child.pid === undefined) return;
      try {
        if (isWindows) child.kill();
        // At once: what they have begun is thrown away, and must not grow while it is removed.
        else process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    signal?.addEventListener("abort", end);
    process.once("exit", end);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-OUTPUT_TAIL);
        onOutput?.(text);
      });
    }
    child.on("error", (error) => reject(notStarted(error)));
    child.on("close", (code) => {
      signal?.removeEventListener("abort", end);
      process.removeListener("exit", end);
      if (signal?.aborted) reject(signal.reason as Error);
      else if (code === 0) resolve();
      else reject(new ExpectedError(`${what} is not installed: ${reasonIn(said)}`));
    });
  });
}

function notStarted(error: Error): ExpectedError {
  return systemCode(error) === "ENOENT"
    ? new ExpectedError("npm was not found: install Node.js (https://nodejs.org), which brings it, and try again.")
    : new ExpectedError(`npm could not be started: ${error.message}.`, { cause: error });
}

/** The line of npm's that names the error: the first one that is no code and no path. */
function reasonIn(said: string): string {
  const lines = said
    .split("\n")
    .flatMap((line) => /^npm (?:error|ERR!) (?!code |path |errno |syscall )(.+)$/.exec(line.trim())?.[1] ?? []);
  const reason = lines[0] ?? said.trim().split("\n").at(-1) ?? "";
  return `npm says: ${reason === "" ? "nothing" : reason}`;
}
