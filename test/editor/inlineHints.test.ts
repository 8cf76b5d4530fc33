import { readFileSync } from "node:fs";
import type { Hover, HoverProvider, InlayHint, InlayHintsProvider, TextDocument } from "vscode";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnalyzedModel } from "../../src/editor/analyzedModels";
import { registerInlineLayers } from "../../src/editor/inlineHints";
import { layer, report } from "../html/report";
import {
  configurationChanges,
  EventEmitter,
  Position,
  Range,
  registered,
  settings,
  textDocument,
  textUri,
} from "./vscodeStub";

vi.mock("vscode", () => import("./vscodeStub"));

const SETTING = "ranklens.inlayHints.enabled";
const TEXT = 'class Net(nn.Module):\n  def __init__(self):\n    self.fc1 = nn.Linear(a, b)\nsd["fc1.weight"]\n';
const analyzed = (name: string, rank = 3): AnalyzedModel => ({
  modelUri: textUri(`file:///${name}`),
  modelName: name,
  report: report([layer("fc1.weight", { op: "Gemm", utilizedRank: rank })]),
});

let reports: AnalyzedModel[];
let changes: EventEmitter<void>;
let registration: { dispose: () => unknown };

beforeEach(() => {
  settings.clear();
  reports = [analyzed("net.onnx")];
  changes = new EventEmitter<void>();
  registration = registerInlineLayers({ reports: () => reports, onDidChange: changes.event });
});
afterEach(() => registration.dispose());

const hints = (document: TextDocument, from = 0, to = 99): string[] => {
  const provider = registered.hints[0] as InlayHintsProvider;
  const range = new Range(new Position(from, 0), new Position(to, 0)) as never;
  const found = provider.provideInlayHints(document, range, undefined as never) as InlayHint[];
  return found.map(({ position: { line, character }, label }) => `${line}:${character} ${label as string}`);
};
const hover = (document: TextDocument, line: number, character: number): Hover | null =>
  (registered.hovers[0] as HoverProvider).provideHover(document, new Position(line, character) as never, undefined as never) as Hover | null; // prettier-ignore
const hoverText = (document: TextDocument, line: number, character: number): string | undefined =>
  (hover(document, line, character)?.contents as unknown as { value: string } | undefined)?.value;

describe("a document", () => {
  it("has hints behind the names, within the range that is asked for", () => {
    const document = textDocument(TEXT);
    expect(hints(document)).toEqual(["2:12 rank 3/8", "3:15 rank 3/8"]);
    expect(hints(document, 3)).toEqual(["3:15 rank 3/8"]);
    expect(hints(document, 0, 2)).toEqual([]);
  });

  it("has a hover on the name, whose links may only show a layer", () => {
    const document = textDocument(TEXT);
    const found = hover(document, 2, 10);
    expect(found?.contents).toMatchObject({ isTrusted: { enabledCommands: ["ranklens.showLayer"] } });
    expect(found?.contents).not.toHaveProperty("supportHtml", true);
    expect(found?.range).toEqual(new Range(new Position(2, 9), new Position(2, 12)));
    expect(hoverText(document, 3, 5)).toContain("Utilized rank 3 of 8");
    expect(hover(document, 2, 12)).toBeNull();
    expect(hover(document, 0, 0)).toBeNull();
  });

  it("is read once for each of its versions, whoever asks", () => {
    const document = textDocument(TEXT);
    hints(document);
    hover(document, 2, 10);
    hints(document, 3);
    expect(document.reads).toBe(1);
    document.edit(`\n${TEXT}`);
    expect(hints(document)).toEqual(["3:12 rank 3/8", "4:15 rank 3/8"]);
    expect(hoverText(document, 3, 10)).toContain("fc1");
    expect(document.reads).toBe(2);
  });

  it("is not read where there are no reports, or it is in another language", () => {
    const other = textDocument(TEXT, "rust");
    expect(hints(other)).toEqual([]);
    reports = [];
    changes.fire();
    const document = textDocument(TEXT);
    expect(hints(document)).toEqual([]);
    expect(hover(document, 2, 10)).toBeNull();
    expect([document.reads, other.reads]).toEqual([0, 0]);
  });

  it("in TypeScript has hints too", () => {
    const text = 'model.getLayer("fc1.weight");';
    expect(hints(textDocument(text, "typescriptreact"))).toEqual(["0:27 rank 3/8"]);
  });
});

describe("a change", () => {
  const refreshes = (): { count: number } => {
    const seen = { count: 0 };
    (registered.hints[0] as InlayHintsProvider).onDidChangeInlayHints!(() => {
      seen.count++;
    });
    return seen;
  };

  it("of the reports is seen at once, without reading the document again", () => {
    const document = textDocument(TEXT);
    const seen = refreshes();
    hints(document);
    reports = [analyzed("net.onnx", 1), analyzed("other.onnx")];
    changes.fire();
    expect(seen.count).toBe(1);
    expect(hints(document)[0]).toBe("2:12 rank 1/8 (net.onnx), rank 3/8 (other.onnx)");
    expect(hoverText(document, 2, 10)?.split("---")).toHaveLength(2);
    expect(document.reads).toBe(1);
  });

  it("of the setting turns hints off and leaves hovers", () => {
    const document = textDocument(TEXT);
    const seen = refreshes();
    settings.set(SETTING, false);
    configurationChanges.fire({ affectsConfiguration: (section) => section === SETTING });
    configurationChanges.fire({ affectsConfiguration: () => false });
    expect(seen.count).toBe(1);
    expect(hints(document)).toEqual([]);
    expect(hover(document, 2, 10)).not.toBeNull();
  });
});

it("nothing is left when it is disposed of", () => {
  registration.dispose();
  expect(registered.hints).toEqual([]);
  expect(registered.hovers).toEqual([]);
  expect(changes.listeners.size + configurationChanges.listeners.size).toBe(0);
});

it("the setting is declared with a description", () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
  const manifest = read("package.json") as { contributes: { configuration: { properties: Record<string, { default: unknown; description: string }> } } }; // prettier-ignore
  const { default: standard, description } = manifest.contributes.configuration.properties[SETTING];
  expect(standard).toBe(true);
  expect(read("package.nls.json")).toHaveProperty([description.replaceAll("%", "")], expect.stringMatching(/\w/));
});
