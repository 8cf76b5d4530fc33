import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panelLayer } from "../../../src/editor/panelProtocol";
import { parseMemory } from "../../../webview/panel/memory";
import { pngName } from "../../../webview/panel/pngName";
import { movedIndex } from "../../../webview/panel/rovingFocus";
import { matches, shownLayers, sortRows } from "../../../webview/panel/rows";
import { INITIAL_STATE, pageState, received, type PanelState } from "../../../webview/panel/state";
import { parseColour, themePalette } from "../../../webview/panel/themePalette";
import { HOSTILE, layer, report, weightsReport } from "../../html/report";
import { analysis, inspectionOf, opened, reported, running } from "./messages";
import { contrast } from "../contrast";
import themes from "./themes.json";

type Message = Parameters<typeof received>[1];
const after = (...messages: readonly unknown[]): PanelState =>
  messages.reduce<PanelState>((state, message) => received(state, message as Message), INITIAL_STATE);
const made = report([layer("a"), layer("b", { utilizedRank: 7 }), layer("c")]);
const model = opened(inspectionOf(made));
const found = (index: number) => ({ kind: "layer", layer: panelLayer(made.layers[index]) }) as const;

describe("the state of the panel", () => {
  it.each([
    ["loading", []],
    ["ready", [model]],
    ["running", [model, analysis({ kind: "queued", ahead: 1 })]],
    ["running", [model, running()]],
    ["ready", [model, running(), analysis({ kind: "cancelled" })]],
    ["failed", [model, analysis({ kind: "failed", message: "no" })]],
    ["report", [model, reported(made)]],
    ["running", [model, reported(made), running()]],
    ["report", [model, reported(made), running(), analysis({ kind: "cancelled" })]],
    ["failed", [{ kind: "model", model: { kind: "unreadable", message: "no" }, fileName: "x", trusted: true }]],
  ])("is %s", (state, messages) => expect(pageState(after(...messages))).toBe(state));

  it("keeps layers of a run until the next one, whichever comes first when it is opened in the middle", () => {
    const measured = (state: PanelState): boolean[] => shownLayers(state).rows.map((row) => row.measured !== null);
    expect(measured(after(model, running(), found(1)))).toEqual([false, true, false]);
    expect(measured(after(model, found(1), running()))).toEqual([false, true, false]);
    expect(measured(after(model, running(), found(1), analysis({ kind: "cancelled" })))).toEqual([false, true, false]);
    expect(measured(after(model, running(), found(1), analysis({ kind: "cancelled" }), running()))).toEqual([false, false, false]);
    expect(measured(after(model, running(), found(1), analysis({ kind: "idle" }), reported(made), running()))).toEqual([false, false, false]);
  }); // prettier-ignore

  it("shows what there are columns for", () => {
    expect(shownLayers(after(model)).mode).toBe("inspected");
    expect(shownLayers(after(model, running())).mode).toBe("measured");
    expect(shownLayers(after(model, reported(weightsReport()))).mode).toBe("weights");
    expect(shownLayers(after()).rows).toEqual([]);
  });
});

describe("rows", () => {
  const { rows } = shownLayers(after(model, reported(made)));

  it("are found by name, operator, node and reason, whatever the case, and by their outcome", () => {
    const kept = report([layer("Block.1", { outcome: { kind: "kept", reason: "Not smaller" } })]);
    const [row] = shownLayers(after(opened(inspectionOf(kept)), reported(kept))).rows;
    for (const text of ["block", " CONV ", "not small", ""]) expect(matches(row, { text, decomposedOnly: false })).toBe(true); // prettier-ignore
    expect(matches(row, { text: "linear", decomposedOnly: false })).toBe(false);
    expect(matches(row, { text: "", decomposedOnly: true })).toBe(false);
    expect(matches(rows[0], { text: "", decomposedOnly: true })).toBe(true);
  });

  it("are sorted by a value, in the model's order where it is the same, last where there is none", () => {
    const names = (direction: "ascending" | "descending", by: (name: string) => number | null): string[] =>
      sortRows(rows, ({ name }) => by(name), direction).map(({ name }) => name);
    expect(names("ascending", (name) => (name === "b" ? 1 : 2))).toEqual(["b", "a", "c"]);
    expect(names("descending", (name) => (name === "b" ? 1 : 2))).toEqual(["a", "c", "b"]);
    expect(names("descending", (name) => (name === "a" ? null : 0))).toEqual(["b", "c", "a"]);
  });
});

describe("what was kept of an earlier panel", () => {
  it("is taken where it is what a panel keeps, and otherwise as if there were none", () => {
    const kept = { sort: { column: "rank", direction: "descending" }, filter: "x", decomposedOnly: true, open: "w", scroll: 5, tableScroll: 7 };
    expect(parseMemory(kept)).toEqual(kept);
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        const memory = parseMemory(anything);
        expect(Object.keys(memory)).toHaveLength(6);
        expect(memory.scroll).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(parseMemory({ ...kept, sort: { column: "rank", direction: "up" }, scroll: NaN })).toMatchObject({ sort: null, scroll: 0 });
  }); // prettier-ignore
});

describe("keys", () => {
  const key = (name: string, at: number, change = {}): number | null =>
    movedIndex({ key: name, altKey: false, ctrlKey: false, metaKey: false, ...change }, at, 25, "vertical");

  it("move within the list, and only where they are meant to", () => {
    const moves = [["ArrowDown", 0, 1], ["ArrowDown", 24, 24], ["ArrowUp", 0, 0], ["Home", 9, 0], ["End", 9, 24], ["PageDown", 3, 13], ["PageUp", 3, 0]] as const; // prettier-ignore
    for (const [name, at, to] of moves) expect(key(name, at), name).toBe(to);
    for (const name of ["ArrowLeft", "a", "Tab"]) expect(key(name, 3)).toBeNull();
    expect(key("ArrowDown", 3, { ctrlKey: true })).toBeNull();
  });
});

describe("the name of a picture", () => {
  it.each([
    [["net.onnx", "snapshot"], "net-snapshot.png"],
    [["/a/b.weight", "search"], "a-b.weight-search.png"],
    [["..", "../.."], "chart.png"],
    [["שכבה", "input"], "שכבה-input.png"],
  ])("%j is %s", (parts, name) => expect(pngName(...parts)).toBe(name));

  it("is a file's name whatever the layer's", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (name) => {
        const file = pngName(name + HOSTILE, "input");
        expect(file).toMatch(/^[^/\\:*?"<>|.-][^/\\:*?"<>|]*\.png$/);
        expect(file.length).toBeLessThanOrEqual(84);
      }),
    );
  });
});

describe("the colours of a theme", () => {
  it.each(Object.entries(themes))("of %s stand out", (name, { variables }) => {
    const read = (variable: string): string => (variables as Record<string, string>)[`--vscode-${variable}`] ?? "";
    const high = name.includes("High Contrast");
    const palette = themePalette(read, high);
    for (const colour of Object.values<string>({ ...palette })) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    const { surface, text, muted, weight, utilized, input, output, projected, maximum } = palette;
    for (const ink of [text, muted]) expect(contrast(ink, surface)).toBeGreaterThanOrEqual(4.5);
    for (const line of [weight, utilized, input, output, projected]) {
      expect(contrast(line, surface)).toBeGreaterThanOrEqual(high ? 4.5 : 3);
    }
    expect(contrast(maximum, surface)).toBeGreaterThanOrEqual(3);
    expect(new Set([weight, utilized, input, projected]).size).toBe(4);
  });

  it("are there without a theme, and whatever a theme says", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom("#000", "transparent", "rgba(1, 2, 3, 0.5)", "#12345678")), fc.boolean(), (text, high) => {
        for (const colour of Object.values<string>({ ...themePalette(() => text, high) })) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
      }),
    );
    expect(parseColour("#f80")).toEqual([255, 136, 0, 1]);
    expect(parseColour("rgb(1 2 3 / 0.5)")).toEqual([1, 2, 3, 0.5]);
    expect(parseColour("#12345")).toBeNull();
  }); // prettier-ignore
});
