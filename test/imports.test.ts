import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/** What one file takes from another, or from a package. */
interface Import {
  /** A package's name, or the path of a file of this repository without its extension. */
  readonly from: string;
  readonly isPackage: boolean;
  /** Gone when the file is compiled. */
  readonly typeOnly: boolean;
}

/** Every file's imports, by its path in the repository with forward slashes. */
type Sources = ReadonlyMap<string, readonly Import[]>;

/** A rule gives a sentence for every import that breaks it. */
type Rule = (file: string, imports: Import) => string | null;

const inFolder = (file: string, folder: string): boolean => file.startsWith(`${folder}/`);

/** What talks to the worker, and would lose its responsiveness or its life if it did the worker's work itself. */
const outsideWorker = (file: string): boolean =>
  ["src/cli.ts", "src/extension.ts"].includes(file) ||
  ["src/cli", "src/editor"].some((folder) => inFolder(file, folder)) ||
  (inFolder(file, "src/worker") && file !== "src/worker/main.ts");

const rules: readonly Rule[] = [
  (file, { from }) =>
    inFolder(file, "src/numerics") && !inFolder(from, "src/numerics")
      ? "numerics/ imports nothing outside itself"
      : null,
  (file, { from }) =>
    packageOf(from) === "onnxruntime-node" && !inFolder(file, "src/runtime")
      ? "only runtime/ imports onnxruntime-node"
      : null,
  (file, { from }) =>
    from === "vscode" && !inFolder(file, "src/editor") && file !== "src/extension.ts"
      ? "only editor/ and extension.ts import vscode"
      : null,
  (file, { from, typeOnly }) =>
    outsideWorker(file) && !typeOnly && (from === "src/analyze" || from === "src/compress")
      ? "cli/, editor/ and the client run analyses in the worker: only worker/main.ts imports them"
      : null,
  (file, { from, isPackage, typeOnly }) =>
    inFolder(file, "webview") &&
    !isPackage &&
    !inFolder(from, "webview") &&
    !inFolder(from, "src/text") &&
    !(typeOnly && (from === "src/report" || from === "src/editor/panelProtocol"))
      ? "of src/, webview/ imports text/, and types from report.ts and editor/panelProtocol.ts"
      : null,
  (file, { from, isPackage, typeOnly }) =>
    inFolder(file, "src/text") && (isPackage || !inFolder(from, "src/text")) && !(typeOnly && from === "src/report")
      ? "text/ imports nothing outside itself but types from report.ts"
      : null,
  (file, { from, isPackage, typeOnly }) =>
    inFolder(file, "src/sourceNames") &&
    !(isPackage ? from.startsWith("@lezer/") : inFolder(from, "src/sourceNames")) &&
    !(typeOnly && from === "src/report")
      ? "sourceNames/ imports @lezer packages, and types from src/report.ts"
      : null,
  (file, { from, isPackage }) =>
    inFolder(file, "src") &&
    !isPackage &&
    (inFolder(from, "test") || inFolder(from, "webview") || inFolder(from, "bench"))
      ? "src/ imports nothing of webview/, test/ and bench/"
      : null,
];

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function violations(sources: Sources): string[] {
  const found = [...sources].flatMap(([file, imports]) =>
    imports.flatMap((one) =>
      rules.flatMap((rule) => {
        const broken = rule(file, one);
        return broken === null ? [] : [`${file} imports ${one.from}: ${broken}`];
      }),
    ),
  );
  const named = [...sources.keys()].filter((file) => /^utils?\./.test(path.posix.basename(file)));
  return [...found, ...named.map((file) => `${file}: a file is named after what is in it`)];
}

/** Imports, re-exports, import() and require() calls and import types of a file. */
function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const isPackage = !specifier.text.startsWith(".");
    const target = path.posix.join(path.posix.dirname(file), specifier.text).replace(/\.(js|mjs|ts|json)$/, "");
    found.push({ from: isPackage ? specifier.text : target, isPackage, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      // `import { type A }` stays as an import for its effects, so that only `import type` counts.
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && loadsModule(node.expression)) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

function loadsModule(called: ts.Expression): boolean {
  return called.kind === ts.SyntaxKind.ImportKeyword || /^require(\.resolve)?$/.test(called.getText());
}

const root = path.resolve(import.meta.dirname, "..");

function repository(): Sources {
  const files = ["src", "webview"].flatMap((folder) => {
    if (!existsSync(path.join(root, folder))) return [];
    const names = readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" });
    return names.map((name) => `${folder}/${name.split(path.sep).join("/")}`);
  });
  const code = files.filter((file) => /\.(ts|mts|cts|js|mjs|cjs)$/.test(file));
  return new Map(code.map((file) => [file, importsOf(file, readFileSync(path.join(root, file), "utf8"))]));
}

describe("the import rules", () => {
  it("hold in every file", () => {
    const sources = repository();
    expect(sources.size).toBeGreaterThan(60);
    expect(violations(sources)).toEqual([]);
  });

  it("see the imports that are there", () => {
    const imports = repository().get("src/runtime/session.ts")!;
    expect(imports).toContainEqual({ from: "onnxruntime-node", isPackage: true, typeOnly: false });
    expect(imports).toContainEqual({ from: "src/onnx/schema", isPackage: false, typeOnly: true });
  });

  const check = (file: string, text: string): string[] => violations(new Map([[file, importsOf(file, text)]]));

  it.each([
    ["src/numerics/eigen.ts", 'import { readFileSync } from "node:fs";'],
    ["src/numerics/eigen.ts", 'import type { Layer } from "../layers/layer";'],
    ["src/numerics/eigen/ql.ts", 'export { x } from "../../errors";'],
    ["src/numerics/eigen.ts", 'let x: import("../errors").ExpectedError;'],
    ["src/lowrank/evaluator.ts", 'import { Tensor } from "onnxruntime-node";'],
    ["src/lowrank/evaluator.ts", 'import type { Tensor } from "onnxruntime-node";'],
    ["src/cli.ts", 'const ort = await import("onnxruntime-node/dist/backend");'],
    ["src/cli.ts", 'const ort = require("onnxruntime-node");'],
    ["src/worker/main.ts", 'import * as vscode from "vscode";'],
    ["src/worker/main.ts", 'import vscode = require("vscode");'],
    ["src/cli.ts", 'const { analyze } = await import("./analyze");'],
    ["src/cli/analyzeCommand.ts", 'import { compress } from "../compress";'],
    ["src/editor/panel.ts", 'import { analyze } from "../analyze";'],
    ["src/worker/client.ts", 'import { compress } from "../compress";'],
    ["webview/main.ts", 'import { reportTotals } from "../src/report";'],
    ["webview/main.ts", 'import { type ModelReport } from "../src/report";'],
    ["webview/charts/spectrum.ts", 'import type { Layer } from "../../src/layers/layer";'],
    ["webview/main.ts", 'import "../src/errors";'],
    ["src/text/numbers.ts", 'import Table from "cli-table3";'],
    ["src/text/layer.ts", 'import { reportTotals } from "../report";'],
    ["src/editor/panel.ts", 'export * from "../../webview/table";'],
    ["src/sourceNames/python.ts", 'import { reportTotals } from "../report";'],
    ["src/sourceNames/python.ts", 'import type { Layer } from "../layers/layer";'],
    ["src/sourceNames/python.ts", 'import { z } from "zod";'],
    ["src/onnx/utils.ts", ""],
    ["webview/util.ts", ""],
  ])("are broken by %s with %s", (file, text) => {
    expect(check(file, text)).toHaveLength(1);
  });

  it.each([
    ["src/numerics/eigen.ts", 'import { multiply } from "./matrix.js"; import { k } from "./kernels/index";'],
    ["src/numerics/eigen/ql.ts", 'import type { Matrix } from "../matrix";'],
    ["src/runtime/session.ts", 'import { Tensor } from "onnxruntime-node"; import os from "node:os";'],
    ["src/extension.ts", 'import * as vscode from "vscode"; import { x } from "./editor/panel";'],
    ["src/editor/panel.ts", 'import * as vscode from "vscode"; import { x } from "../report";'],
    ["src/worker/main.ts", 'import { analyze } from "../analyze"; import { compress } from "../compress";'],
    ["src/worker/protocol.ts", 'import type { AnalyzeOptions } from "../analyze";'],
    ["webview/charts/spectrum.ts", 'import type { ModelReport } from "../../src/report"; import "../style";'],
    [
      "src/sourceNames/source.ts",
      'import { parser } from "@lezer/python"; import type { LayerReport } from "../report";',
    ],
    ["webview/main.ts", 'import type { M } from "../src/editor/panelProtocol.js"; import { Chart } from "chart.js";'],
    ["webview/table.ts", 'import { percent } from "../src/text/numbers";'],
    ["src/text/layer.ts", 'import type { LayerReport } from "../report"; import { percent } from "./numbers";'],
    ["src/cli.ts", '// import * as vscode from "vscode"\nconst text = "require(\\"vscode\\")";'],
  ])("are kept by %s with %s", (file, text) => {
    expect(check(file, text)).toEqual([]);
  });
});
