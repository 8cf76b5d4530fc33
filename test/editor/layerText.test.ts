import fc from "fast-check";
import type { Uri } from "vscode";
import { describe, expect, it, vi } from "vitest";
import { escapedMarkdown, hintText, hoverMarkdown } from "../../src/editor/layerText";
import type { AnalyzedModel } from "../../src/editor/analyzedModels";
import { SHOW_LAYER_COMMAND, showLayerArguments, showLayerLink } from "../../src/editor/showLayer";
import type { LayerReport } from "../../src/report";
import { textUri } from "./vscodeStub";
import { HOSTILE, layer, report, withoutData } from "../html/report";

vi.mock("vscode", () => import("./vscodeStub"));

const uri = (path: string): Uri => textUri(`file://${path}`);
const model = (name: string, layers: readonly LayerReport[] = [layer("fc")]): AnalyzedModel => ({
  modelUri: uri(`/models/${name}`),
  modelName: name,
  report: report(layers),
});
const place = (...layers: LayerReport[][]) => ({ from: 0, to: 3, names: "definition", layers }) as const;

/** Targets of links in Markdown that nothing escapes. */
function links(markdown: string): string[] {
  return [...markdown.replace(/\\[^]/g, "").matchAll(/\]\(([^)]*)\)/g)].map(([, target]) => target);
}

describe("the hover", () => {
  it("of a decomposed layer", () => {
    const fc = layer("layer1.0.conv1.weight", { groups: 2 });
    expect(hoverMarkdown(place([fc]), [model("net.onnx")])).toBe(
      [
        "**layer1\\.0\\.conv1\\.weight** · net\\.onnx",
        "- Conv 2·8×12\n- Utilized rank 3 of 8, utilization 37.5%\n- Parameters 96 → 60 (37.5% saved), as two layers of rank 3",
        `[Show in RankLens](${showLayerLink(uri("/models/net.onnx"), "layer1.0.conv1.weight")})`,
      ].join("\n\n"),
    );
  });

  it("of a kept one says why", () => {
    const kept = layer("fc", { outcome: { kind: "kept", reason: "two layers of rank 7 would not be smaller" } });
    expect(hoverMarkdown(place([kept]), [model("a")])).toContain(
      "- Parameters 96, kept: two layers of rank 7 would not be smaller",
    );
  });

  it("claims nothing that was not measured", () => {
    const text = hoverMarkdown(place([layer("fc", withoutData)]), [model("a")]);
    expect(text).toContain("Weight rank 8 of 8; the utilized rank was not measured");
    expect(text).not.toMatch(/null|NaN|undefined|–/);
  });

  it("lists what the layer could be, and no rank", () => {
    const text = hoverMarkdown(place([layer("a"), layer("b")]), [model("net")]);
    expect(text).toMatch(/^In net this could be \[a\]\(command:\S+\), \[b\]\(command:\S+\)\.$/);
    const many = Array.from({ length: 30 }, (_, i) => layer(`l${i}`));
    expect(hoverMarkdown(place(many), [model("net")])).toMatch(/ and 6 more\.$/);
    expect(links(hoverMarkdown(place(many), [model("net")]))).toHaveLength(24);
  });

  it("has a part for each model that knows the layer", () => {
    const text = hoverMarkdown(place([layer("a")], [], [layer("a"), layer("b")]), [model("x"), model("y"), model("z")]);
    expect(text.split("\n\n---\n\n")).toHaveLength(2);
    expect(text).toContain("· x");
    expect(text).not.toContain("· y");
    expect(text).toContain("In z this could be");
  });
});

describe("hostile names", () => {
  it.each([
    HOSTILE,
    "](command:evil)",
    "a\n\n# title",
    "https://example.org www.example.org a@example.org",
    "![x](http://example.org/x.png)",
    "a)b(c'd~e",
    "$(flame) `x` | y",
    "\ud800",
    "    code",
  ])("%j are only text", (name) => {
    const kept = layer("x", { name, op: name, outcome: { kind: "kept", reason: name } });
    for (const layers of [[kept], [kept, kept]]) {
      const text = hoverMarkdown(place(layers), [model(name, [kept])]);
      for (const target of links(text)) expect(target).toMatch(/^command:ranklens\.showLayer\?[\w.%-]+$/);
      expect(links(text)).toHaveLength(layers.length);
      const shown = text.replace(/\\[^]/g, "").replaceAll(/\]\([^)]*\)/g, "]");
      expect(shown).not.toMatch(/[<>`|]|:\/\/|www\.|@|!\[|^#|^ {4}|\$\(/m);
    }
  });

  it("have all punctuation escaped, and stay in their line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapedMarkdown(text);
        expect(escaped.replace(/\\[!-/:-@[-`{-~]/g, "")).toMatch(/^[^!-/:-@[-`{-~\n\r\t]*$/);
      }),
    );
  });

  it("come back from the link as they were", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const link = showLayerLink(uri("/a b/(x).onnx"), name);
        expect(link).toMatch(/^command:ranklens\.showLayer\?[\w.%-]+$/);
        const args: unknown = JSON.parse(decodeURIComponent(link.slice(`command:${SHOW_LAYER_COMMAND}?`.length)));
        expect(showLayerArguments(args as unknown[])).toEqual(["file:///a b/(x).onnx", name]);
      }),
    );
  });

  it("the command takes nothing else", () => {
    for (const args of [[], ["a"], ["a", 1], ["a", "b", "c"], [null, null], [{}]]) {
      expect(showLayerArguments(args)).toBeNull();
    }
  });
});

describe("the hint", () => {
  it("has the rank", () => {
    expect(hintText(place([layer("a")]), [model("x")])).toBe("rank 3/8");
    expect(hintText(place([layer("a", withoutData)]), [model("x")])).toBe("weight rank 8/8");
  });

  it("names the models where there are several", () => {
    const low = layer("a", { utilizedRank: 1 });
    expect(hintText(place([layer("a")], [], [low]), [model("x"), model("y"), model("z")])).toBe(
      "rank 3/8 (x), rank 1/8 (z)",
    );
  });

  it("is not there where the layer is not clear, or only used", () => {
    const models = [model("x"), model("y")];
    expect(hintText(place([layer("a"), layer("b")], []), models)).toBeNull();
    expect(hintText(place([layer("a"), layer("b")], [layer("a")]), models)).toBe("rank 3/8");
    expect(hintText({ ...place([layer("a")], []), names: "use" }, models)).toBeNull();
  });
});
