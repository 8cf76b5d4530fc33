import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pageScript, pageStyle } from "../../src/html/assets.generated";
import { embeddedJson, escaped } from "../../src/html/markup";
import { reportHtml } from "../../src/html/page";
import { PAPER } from "../../src/html/sections";
import type { ModelReport } from "../../src/report";
import { fileName } from "../../src/text/names";
import { elapsed } from "../../src/text/numbers";
import { darkPalette, lightPalette } from "../../webview/charts";
import { energyReport, HOSTILE, layer, report, weightsReport } from "./report";

/** The page without its style and script: what depends on the report. */
function own(html: string): string {
  return html.replace(pageStyle, "").replace(pageScript, "");
}

/** The text of the page as a reader sees it. */
function text(html: string): string {
  return own(html)
    .replace(/<script[^]*<\/script>/g, "")
    .replace(/<wbr>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ({ lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" })[name]!)
    .replace(/\s+/g, " ");
} // prettier-ignore

function dataOf(html: string): ModelReport {
  return JSON.parse(/<script type="application\/json" id="report">(.*)<\/script>/.exec(html)![1]) as ModelReport;
}

const hash = (content: string): string => `sha256-${createHash("sha256").update(content).digest("base64")}`;

describe("the page of a report", () => {
  const page = reportHtml(
    report([layer("/a/Conv"), layer("b.weight")], {
      warnings: ["Mind <this>."],
      skipped: [{ name: "c", op: "LSTM", reason: "not supported" }],
    }),
  );

  it("allows its own style and script, and nothing else", () => {
    const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/
      .exec(page)![1]
      .replace(/&#39;/g, "'");
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `script-src '${hash(pageScript)}'`,
      `style-src '${hash(pageStyle)}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<style>"));
    expect(own(page)).not.toMatch(/\sstyle=|\son\w+=|javascript:/i);
  });

  it("refers to nothing but the paper", () => {
    expect(own(page).match(/(https?:)?\/\/[^\s"<]+/g)).toEqual([PAPER]);
    expect(own(page)).not.toMatch(/<(link|img|iframe|object|embed|base|form)\b|\ssrc=/i);
    expect(pageStyle).not.toMatch(/url\(|@import/);
    // Addresses in the script are chart.js's licence notice and the name of SVG.
    const outside = pageScript.replace(/\/\*![^]*?\*\//g, "").match(/https?:\/\/[^"'`\s]+/g);
    expect(new Set(outside)).toEqual(new Set(["http://www.w3.org/2000/svg"]));
  });

  it("is small, and says nothing of anyone's folders", () => {
    expect(pageScript.length + pageStyle.length).toBeLessThan(230_000);
    expect(own(page).length).toBeLessThan(20_000);
    expect(page).not.toContain("someone");
    expect(page).toContain("<title>net.onnx – RankLens</title>");
  });

  it("shows the headline, the layers, the warnings and what was skipped", () => {
    const shown = text(page);
    for (const part of [
      "37.5% 100.0% by the weights alone",
      "80.00% → 75.00%",
      "−5.00 points as smaller layers",
      "70.00% with every layer projected",
      "192 → 120 62.5% remain in 2 analysed layers whole model 1,000 → 928",
      "1.9 k → 1.2 k",
      "Warning Mind <this>.",
      "1 point for each projection of each layer",
      "100 samples",
      "cpu: there is no other",
      "1 /a/Conv Conv 8×12 8 5 3 3 2–4 38% 5.0% 250% 96 → 60 two layers of rank 3",
      "c LSTM not supported",
      "search 9.0 s 75%",
    ]) {
      expect(shown).toContain(part);
    }
  });

  it("has a table with a header for every column and row, and values to sort by", () => {
    const table = /<table id="layer-table"[^]*?<\/table>/.exec(page)![0];
    expect(table.match(/<th scope="col"/g)).toHaveLength(13);
    expect(table.match(/<th scope="row"/g)).toHaveLength(2);
    expect(table.match(/<t[dh] class="number" data-value="2.5">250%/g)).toHaveLength(2);
  });

  it("shows what compress wrote", () => {
    const written = reportHtml(
      report([layer("a")], {
        compressed: {
          path: "/home/someone/small.onnx",
          sha256: "0",
          method: "paper",
          layersDecomposed: 1,
          bytes: { before: 12_345, after: 6_000 },
          accuracy: { before: 0.8, after: 0.75 },
          latency: { batch: 1, runs: 50, milliseconds: { before: 2, after: 1.5 }, ratio: 0.76 },
        },
      }),
    );
    const shown = text(written);
    for (const part of ["12.1 KB → 5.9 KB 48.6% remain", "2.00 → 1.50 ms", "0.76× the time", "1 of 1"]) {
      expect(shown).toContain(part);
    }
    expect(written).not.toContain("someone");
  });

  it("shows a report of the weights alone without empty places", () => {
    const shown = text(reportHtml(weightsReport()));
    expect(shown).toContain("100.0% what the data uses was not measured");
    expect(shown).toContain("1 a Conv 8×12 8 8 100% 2.5 96");
    expect(shown).toContain("weights only, no data was used");
    for (const absent of ["null", "NaN", "undefined", "Cost by stage", "Tolerance", "→ –"]) {
      expect(shown).not.toContain(absent);
    }
  });

  it("shows ranks by energy, without an accuracy or a search", () => {
    const shown = text(reportHtml(energyReport()));
    expect(shown).toContain("99.00% of the energy on both sides, no search");
    expect(shown).toContain("Layers that get smaller 1 of 1");
    for (const absent of ["null", "NaN", "undefined", "Accuracy (top-1)"]) expect(shown).not.toContain(absent);
  });

  it("stands a model without layers", () => {
    expect(text(reportHtml(report([])))).toContain("Not analysed");
  });

  it("uses the colours of the charts", () => {
    for (const { utilized, weight, text: ink } of [lightPalette, darkPalette]) {
      for (const colour of [utilized, weight, ink]) expect(pageStyle).toContain(colour);
    }
  });
});

describe("names from the model", () => {
  it("are text wherever they stand", () => {
    const hostile = report([layer(HOSTILE)], {
      model: { path: `/x/${HOSTILE}`, sha256: "0", bytes: 1, opset: 1 },
      warnings: [HOSTILE],
      skipped: [{ name: HOSTILE, op: HOSTILE, reason: HOSTILE }],
    });
    const harmless = report([layer("x")], {
      model: { path: "/x/x", sha256: "0", bytes: 1, opset: 1 },
      warnings: ["x"],
      skipped: [{ name: "x", op: "x", reason: "x" }],
    });
    const tags = (html: string): string[] => own(html).replaceAll("<wbr>", "").match(/<[^>]*>/g)!.map((tag) => tag.split(/[\s>]/)[0]); // prettier-ignore
    expect(tags(reportHtml(hostile))).toEqual(tags(reportHtml(harmless)));
    expect(own(reportHtml(hostile))).not.toMatch(/[\u2028\u2029\u202e]/);
    expect(text(reportHtml(hostile))).toContain("</script><img src=x onerror=alert(1)>\"' onload='alert(2)&amp;");
    expect(dataOf(reportHtml(hostile)).layers[0].node).toBe(HOSTILE);
  });

  it("are all there, escaped, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), { maxLength: 5 }), (names) => {
        const html = reportHtml(report(names.map((name) => layer(name)))).replaceAll("<wbr>", "");
        for (const name of names) expect(html).toContain(`<bdi>${escaped(name)}</bdi></th>`);
        expect(dataOf(html).layers.map(({ node }) => node)).toEqual(names);
      }),
      { numRuns: 50 },
    );
  });

  it("leave no way out of a script element as JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = embeddedJson([value, HOSTILE]);
        expect(json).not.toMatch(/[<>\u2028\u2029]/);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify([value, HOSTILE])));
      }),
    );
  });
});

describe("the page's words", () => {
  it.each([
    ["/a/b.onnx", "b.onnx"],
    ["C:\\models\\b.onnx", "b.onnx"],
    ["b.onnx", "b.onnx"],
  ])("%s is shown as %s", (path, name) => expect(fileName(path)).toBe(name));

  it.each([
    [0.0123, "12 ms"],
    [2.04, "2.0 s"],
    [59.6, "1 min 0 s"],
    [214.6, "3 min 35 s"],
    [7405, "2 h 3 min"],
  ])("%d seconds are %s", (value, shown) => expect(elapsed(value)).toBe(shown));
});
