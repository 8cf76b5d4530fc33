// `npm run package [-- --target TARGET …]`: builds dist/ and writes out/ranklens-TARGET-VERSION.vsix for each target
// (default: this machine's; `all` for every one). `--skip-build` takes dist/ as it is.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createVSIX } from "@vscode/vsce";
import { stage } from "./stage.mjs";
import { hostTarget, targets } from "./targets.mjs";

process.chdir(path.resolve(path.dirname(fileURLToPath(import.meta.url)), ".."));

function options() {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true, default: [hostTarget] },
      "skip-build": { type: "boolean", default: false },
    },
  });
  return { targets: chosenTargets(values.target), build: !values["skip-build"] };
}

function chosenTargets(named) {
  const chosen = named.includes("all") ? Object.keys(targets) : [...new Set(named)];
  const unknown = chosen.find((target) => !Object.hasOwn(targets, target));
  if (unknown) throw new Error(`There is no target ${unknown}; there are ${Object.keys(targets).join(", ")}, and all.`);
  return chosen;
}

async function writePackage(target, workFolder) {
  const { name, version, repository } = JSON.parse(readFileSync("package.json", "utf8"));
  const packagePath = path.resolve("out", `${name}-${target}-${version}.vsix`);
  const staged = path.join(workFolder, target);
  mkdirSync(staged);
  stage(target, staged, workFolder);
  rmSync(packagePath, { force: true });
  await createVSIX({
    cwd: staged,
    packagePath,
    target,
    dependencies: false,
    allowMissingRepository: true,
    // To the repository; where there is none, packaging/readme.mjs has left no such link.
    rewriteRelativeLinks: repository !== undefined,
  });
}

const workFolder = mkdtempSync(path.join(os.tmpdir(), "ranklens-package-"));
try {
  const chosen = options();
  if (chosen.build) execFileSync(process.execPath, ["esbuild.mjs"], { stdio: "inherit" });
  mkdirSync("out", { recursive: true });
  for (const target of chosen.targets) await writePackage(target, workFolder);
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(workFolder, { recursive: true, force: true });
}
