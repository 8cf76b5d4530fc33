import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tableCsv, tableJson, tableMarkdown, tableRows } from "../src/reportTable";
import { HOSTILE, layer, withoutData } from "./html/report";

const kept = layer("b", { outcome: { kind: "kept", reason: 'full rank, "really"' }, groups: 2 });
const rows = tableRows([layer("features.0"), kept, layer("c", withoutData)]);

/** The cells of CSV by RFC 4180, read independently of how they are written. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = cell.exec(text); match; match = cell.exec(text)) {
    cells.push(match[1] === undefined ? match[2] : match[1].replace(/""/g, '"'));
    if (match[3] === "\r\n") {
      lines.push(cells);
      cells = [];
    }
    if (cell.lastIndex === text.length) return lines;
  }
  throw new Error(`no CSV at ${cell.lastIndex}: ${text}`);
}

describe("the table of layers", () => {
  it("is copied as Markdown, rounded", () => {
    expect(tableMarkdown(rows)).toMatchInlineSnapshot(`
      "| layer | op | m×d | weight rank | k\\_S | k\\_T | rank | used | error | parameters | MACs |
      | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | features.0 | Conv | 8×12 | 8 | 5 | 3 | 3 | 38% | 5.0% | 96 → 60 | 960 → 600 |
      | b | Conv | 2·8×12 | 8 | 5 | 3 | 3 | 38% | 5.0% | 96 → 60 | 960 → 600 |
      | c | Conv | 8×12 | 8 | – | – | – | – | – | 96 | – |
      "
    `);
  });

  it("is copied as CSV, in full", () => {
    expect(tableCsv(rows)).toMatchInlineSnapshot(`
      "layer,op,groups,rows,columns,weightRank,stableRank,kS,kT,utilizedRank,utilization,outputError,parametersBefore,parametersAfter,macsBefore,macsAfter,outcome
      features.0,Conv,1,8,12,8,2.5,5,3,3,0.375,0.05,96,60,960,600,decomposed
      b,Conv,2,8,12,8,2.5,5,3,3,0.375,0.05,96,60,960,600,"kept: full rank, ""really"""
      c,Conv,1,8,12,8,2.5,,,,,,96,,,,kept: ranks were not measured: only the weights were analysed
      "
    `);
  });

  it("is copied as JSON, in full", () => {
    expect(JSON.parse(tableJson(rows))).toEqual(rows);
    expect(rows[2]).toMatchObject({
      layer: "c",
      kS: null,
      macsAfter: null,
      outcome: expect.stringMatching(/^kept: ranks/) as unknown,
    });
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("holds no formula for a spreadsheet: %j", (name) => {
    const [, [first]] = parseCsv(tableCsv(tableRows([layer(name)])));
    expect(first).toBe(`'${name}`);
  });

  it("keeps every name apart from its neighbours in CSV", () => {
    const name = fc.string({ unit: "binary" }).filter((text) => !/^[=+\-@\t\r]/.test(text));
    fc.assert(
      fc.property(name, (text) => {
        const [titles, cells] = parseCsv(tableCsv(tableRows([layer(text)])));
        expect(cells[0]).toBe(text);
        expect(cells).toHaveLength(titles.length);
      }),
    );
  });

  it("keeps a name within its cell in Markdown, as text", () => {
    const name = `a|b\n| c | ${HOSTILE} [x](command:y) \`code\``;
    const lines = tableMarkdown(tableRows([layer(name)]))
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(3);
    const bare = lines[2].replace(/\\./g, "");
    expect(bare.split("|")).toHaveLength(lines[1].split("|").length);
    expect(bare).not.toMatch(/[<>[\]`&]/);
  });
});
