import { existsSync, readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { describe, expect, it } from "vitest";
import packageJson from "../../package.json";
import texts from "../../package.nls.json";
import { COMMANDS, MODEL_EDITOR } from "../../src/editor/commandIds";
import { SHOW_LAYER_COMMAND } from "../../src/editor/showLayer";
import { sourceLanguages } from "../../src/sourceNames/source";

const root = path.resolve(import.meta.dirname, "..", "..");
const { contributes, activationEvents } = packageJson;
const menus: Readonly<Record<string, readonly { command: string; when: string }[]>> = contributes.menus;

describe("package.json", () => {
  it("lists the commands and the editor that the code registers", () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual([...COMMANDS].sort());
    expect(COMMANDS).toContain(SHOW_LAYER_COMMAND);
    expect(new Set(contributes.commands.map(({ category }) => category))).toEqual(new Set(["RankLens"]));
    expect(contributes.customEditors.map(({ viewType }) => viewType)).toEqual([MODEL_EDITOR]);
  });

  it("shows no command in a menu that is not there, and none without a condition", () => {
    for (const [menu, items] of Object.entries(menus)) {
      for (const { command, when } of items) {
        expect(COMMANDS, menu).toContain(command);
        expect(when, `${menu}: ${command}`).not.toBe("");
      }
    }
    // The others mean something at any time.
    const always = ["ranklens.showLog", "ranklens.analyzeSample", "ranklens.installGpu"];
    const inPalette = menus["commandPalette"].map(({ command }) => command);
    expect([...inPalette, ...always].sort()).toEqual([...COMMANDS].sort());
  });

  it("has a text for every key, and no other", () => {
    const used = [...JSON.stringify(packageJson).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
    expect(new Set(used)).toEqual(new Set(Object.keys(texts)));
    expect(Object.values(texts)).not.toContain("");
  });

  it("leads through steps whose pictures and commands are there", () => {
    const [{ steps }] = contributes.walkthroughs;
    expect(steps).toHaveLength(4);
    for (const { media } of steps) expect(existsSync(path.join(root, media.svg)), media.svg).toBe(true);
    const links = [...JSON.stringify(texts).matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command);
    expect(links).toHaveLength(3);
    for (const link of links) expect(COMMANDS).toContain(link);
  });

  it("wakes the extension for the languages of hovers, and for nothing else that VS Code does not see itself", () => {
    expect(activationEvents).toEqual(sourceLanguages.map((language) => `onLanguage:${language}`));
  });

  it("takes programs and machines from the user's settings alone", () => {
    const { restrictedConfigurations } = packageJson.capabilities.untrustedWorkspaces;
    expect(contributes.configuration.properties["ranklens.nodePath"].scope).toBe("machine");
    expect(restrictedConfigurations).toContain("ranklens.nodePath");
  });
});

describe("the bundles of the extension", () => {
  const bundle = (name: string): string => {
    const file = path.join(root, "dist", name);
    if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" before these tests.`);
    return file;
  };
  const loads = (name: string): string[] =>
    [...readFileSync(bundle(name), "utf8").matchAll(/\brequire\("([^"]+)"\)/g)].map(([, module]) => module);

  it("load little at first", () => {
    expect(new Set(loads("extension.js"))).toEqual(new Set(["vscode", "./app.js"]));
    expect(statSync(bundle("extension.js")).size).toBeLessThan(10_000);
  });

  it("never load what runs models and decodes images", () => {
    expect(new Set(loads("app.js").filter((module) => !isBuiltin(module)))).toEqual(new Set(["vscode"]));
  });
});
