// Builds dist/ from src/: the WebAssembly kernels, then the bundles, the type declarations and the JSON Schemas.
// `node esbuild.mjs --kernels` stops after the kernels: tests and the type checker need nothing more.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync, chmodSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import asc from "assemblyscript/asc";
import { build } from "esbuild";

const root = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
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
  writeFileSync(
    "src/numerics/kernels/wasm.generated.ts",
    `// Written by esbuild.mjs from assembly/.\nexport const kernelsBase64 =\n  "${base64}";\n`,
  );
}

await buildKernels();
if (!process.argv.includes("--kernels")) {
  mkdirSync("dist", { recursive: true });
  const common = {
    bundle: true,
    platform: "node",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
    mainFields: ["module", "main"],
  };
  const external = ["onnxruntime-node", "sharp", "vscode"];
  await build({
    ...common,
    entryPoints: { index: "src/index.ts", extension: "src/extension.ts" },
    outdir: "dist",
    format: "cjs",
    external,
  });
  await build({
    ...common,
    entryPoints: { cli: "src/cli.ts" },
    outdir: "dist",
    format: "cjs",
    external,
    banner: { js: "#!/usr/bin/env node" },
  });
  chmodSync("dist/cli.js", 0o755);
  const { configJsonSchema, reportJsonSchema } = createRequire(import.meta.url)("./dist/index.js");
  writeFileSync("dist/config.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  writeFileSync("dist/report.schema.json", `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    stdio: "inherit",
  });
}
