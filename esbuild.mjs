// Builds dist/ from src/: the generated modules (WebAssembly kernels, script and style of the HTML report), then the
// bundles, the type declarations and the JSON Schemas.
// `node esbuild.mjs --kernels` stops after the generated modules: tests and the type checker need nothing more.
// `node esbuild.mjs --tests` builds dist-test/ instead: what runs inside an extension host, and the program that starts VS Code.
// `node esbuild.mjs --panel` builds dist/webview/ alone.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { build } from "esbuild";
import { packagesWithin, writeNotices } from "./packaging/notices.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));
process.chdir(root);

/** AssemblyScript → WebAssembly, kept as base64 in a generated module so that bundles and tests load it alike. */
async function buildKernels() {
  const outFile = path.join(tmpdir(), `ranklens-kernels-${process.pid}.wasm`);
  const { error, stderr } = await asc.main([
    "src/numerics/kernels/assembly/index.ts",
    "--outFile",
    outFile,
    "--optimizeLevel",
    "3",
    "--noAssert",
    "--runtime",
    "stub",
    "--importMemory",
    "--enable",
    "simd",
  ]);
  if (error) throw new Error(`The kernels did not compile: ${stderr.toString()}`);
  const base64 = readFileSync(outFile).toString("base64");
  rmSync(outFile);
  writeFileSync(
    "src/numerics/kernels/wasm.generated.ts",
    `// Written by esbuild.mjs from assembly/.\nexport const kernelsBase64 =\n  "${base64}";\n`,
  );
}

/** What runs in a browser: one script and one style sheet. */
const inBrowser = {
  bundle: true,
  minify: true,
  format: "iife",
  // chart.js asks that its licence goes with it.
  legalComments: "inline",
  logLevel: "warning",
};

/** webview/main and panel → dist/webview/, which the editor loads. Gives what is in the script. */
async function buildPanel() {
  const { metafile } = await build({
    ...inBrowser,
    entryPoints: { panel: "webview/main.ts" },
    outdir: "dist/webview",
    target: "chrome132", // of VS Code 1.100
    metafile: true,
  });
  await build({ ...inBrowser, entryPoints: ["webview/panel.css"], outdir: "dist/webview", target: "chrome132" });
  return metafile;
}

const reportPage = "src/html/assets.generated.ts";

/**
 * webview/reportPage → one script and one style sheet, kept as text in a generated module: the page is one file. Gives what is
 * in the script.
 */
async function buildReportPage() {
  const { outputFiles, metafile } = await build({
    ...inBrowser,
    entryPoints: ["webview/reportPage.ts", "webview/reportPage.css"],
    outdir: "dist",
    write: false,
    metafile: true,
    target: ["es2022", "chrome111", "firefox115", "safari16"],
  });
  const text = (extension) => outputFiles.find((file) => file.path.endsWith(extension)).text;
  const [script, style] = [text(".js"), text(".css")];
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error("The report page would end its own element.");
  writeFileSync(
    reportPage,
    `// Written by esbuild.mjs from webview/.\nexport const pageScript: string = ${JSON.stringify(script)};\n` +
      `export const pageStyle: string = ${JSON.stringify(style)};\n`,
  );
  return metafile;
}

/** One file for each suite, so that the runner finds them by their names. Packages are loaded from node_modules/. */
async function buildTests() {
  rmSync("dist-test", { recursive: true, force: true });
  const suites = readdirSync("test/workbench/suites").map((name) => `test/workbench/suites/${name}`);
  await build({
    entryPoints: [...suites, "test/workbench/electron.ts"],
    entryNames: "[name]",
    outdir: "dist-test",
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
}

/** The extension loads what it does from a bundle beside it, when it is first used: activation reads a few kilobytes. */
const lazyApp = {
  name: "lazy-app",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/editor\/app$/ }, () => ({ path: "./app.js", external: true }));
  },
};

/**
 * Leaves the licences of all packages in the bundles of dist/ there, and a list of which bundle has which, by which
 * packaging/ does the same for what is in a VSIX.
 */
function noteLicences(page, builds) {
  const inPage = Object.values(packagesWithin(page)).flat();
  const bundled = {};
  for (const metafile of builds) {
    const within = packagesWithin(metafile);
    for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
      const packages = [...(within[file] ?? []), ...(reportPage in inputs ? inPage : [])];
      if (packages.length > 0) bundled[path.posix.relative("dist", file)] = packages;
    }
  }
  writeFileSync("dist/bundledPackages.json", `${JSON.stringify(bundled, null, 2)}\n`);
  writeNotices("dist/ThirdPartyNotices.txt", Object.values(bundled).flat());
}

/** @param page what is in the script of the report page. */
async function buildPackage(page) {
  const panel = await buildPanel();
  mkdirSync("dist", { recursive: true });
  const common = {
    bundle: true,
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
    metafile: true,
    mainFields: ["module", "main"],
    // Packages are loaded in one way only, so that a VSIX needs them in one form.
    supported: { "dynamic-import": false },
  };
  const external = ["onnxruntime-node", "sharp", "vscode"];
  const bundles = await build({
    ...common,
    entryPoints: {
      ...{ index: "src/index.ts", worker: "src/worker/main.ts", deviceTrial: "src/runtime/trialMain.ts" },
      ...{ shard: "src/lowrank/shardMain.ts", solveThread: "src/analysis/solving/thread.ts" },
      ...{ extension: "src/extension.ts", app: "src/editor/app.ts" },
    },
    outdir: "dist",
    format: "cjs",
    external,
    plugins: [lazyApp],
  });
  const cli = await build({
    ...common,
    entryPoints: { cli: "src/cli.ts" },
    outdir: "dist",
    format: "cjs",
    external,
    banner: { js: "#!/usr/bin/env node" },
  });
  chmodSync("dist/cli.js", 0o755);
  noteLicences(page, [panel, bundles.metafile, cli.metafile]);
  const { configJsonSchema, reportJsonSchema } = createRequire(import.meta.url)("./dist/index.js");
  writeFileSync("dist/config.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  writeFileSync("dist/report.schema.json", `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    stdio: "inherit",
  });
}

if (process.argv.includes("--tests")) {
  await buildTests();
} else if (process.argv.includes("--panel")) {
  await buildPanel();
} else {
  await buildKernels();
  const page = await buildReportPage();
  if (!process.argv.includes("--kernels")) await buildPackage(page);
}
