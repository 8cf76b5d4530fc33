import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { blockContent, blockNames, markdownTable, withBlock } from "../../bench/markedBlock";

const marked = (name: string, content: string): string =>
  `<!-- ${name}:begin, written by "npm run bench -- readme" -->\n\n${content}\n\n<!-- ${name}:end -->`;

describe("a marked block", () => {
  const text = `before\n\n${marked("a", "one")}\n\nbetween\n\n${marked("b", "two")}\n\nafter\n`;

  it("is replaced, and nothing else is", () => {
    expect(blockNames(text)).toEqual(["a", "b"]);
    const changed = withBlock(text, "a", "three: $& $1\n");
    expect(blockContent(changed, "a")).toBe("three: $& $1");
    expect(withBlock(changed, "a", "one")).toBe(text);
  });

  it("is refused where a marker is missing or there twice", () => {
    expect(() => withBlock(text, "c", "")).toThrow('the markers of "c" are not there');
    expect(() => withBlock(text.replace("<!-- a:end -->", ""), "a", "")).toThrow('the markers of "a"');
    expect(() => blockNames(text + marked("a", "again"))).toThrow('the markers of "a"');
  });

  it("holds tables with numbers to the right", () => {
    expect(markdownTable(["a", "b"], [["x", "1"]])).toBe("| a | b |\n| --- | --: |\n| x | 1 |");
  });
});

describe("the README", () => {
  const readme = readFileSync("README.md", "utf8");

  it("has every block that is written by a run, and none is empty", () => {
    const names = blockNames(readme);
    expect(names).toEqual(["example", "init", "row", "compare", "compareReference", "dataFree", "dataFreeReference"]);
    for (const name of names) expect(blockContent(readme, name).length, name).toBeGreaterThan(100);
    const benchmarks = readFileSync("bench/README.md", "utf8");
    expect(blockNames(benchmarks)).toEqual(["compareReference", "dataFreeReference"]);
    for (const name of blockNames(benchmarks)) expect(blockContent(benchmarks, name).length).toBeGreaterThan(100);
  });

  it("shows pictures that are there, sharp and small", () => {
    const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"|!\[[^\]]+\]\(([^)]+)\)/g)].map(([, a, b]) => a ?? b);
    const own = ["vscode-panel.png", "vscode-hover.png", "report-dark.png", "report-light.png"];
    expect(pictures).toEqual(own.map((name) => `media/${name}`));
    for (const file of pictures) {
      const header = readFileSync(file).subarray(0, 24);
      expect(header.toString("latin1", 1, 4)).toBe("PNG");
      expect(header.readUInt32BE(16), `${file}: pixels across`).toBeGreaterThan(1400);
      expect(statSync(file).size).toBeLessThan(200_000);
    }
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, file]) => file);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((file) => !existsSync(path.resolve(file)))).toEqual([]);
  });
});
