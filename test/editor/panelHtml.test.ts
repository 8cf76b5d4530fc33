import { describe, expect, it } from "vitest";
import { panelHtml } from "../../src/editor/panelHtml";
import { PANEL_STRINGS, panelStrings } from "../../src/editor/panelStrings";
import { HOSTILE } from "../html/report";

const options = {
  cspSource: "'self' https://*.vscode-cdn.net",
  nonce: "abc123",
  scriptUri: "https://host/panel.js?a=1&b=2",
  styleUri: "https://host/panel.css",
  strings: panelStrings((english) => english),
};

describe("the page of the panel", () => {
  const html = panelHtml(options);

  it("lets its own script run by the nonce, and nothing else load or run", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1].replaceAll("&#39;", "'");
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      "script-src 'nonce-abc123'",
      `style-src ${options.cspSource}`,
      `img-src ${options.cspSource} data: blob:`,
      `font-src ${options.cspSource}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(html.match(/<script /g)).toHaveLength(2);
    expect(html.match(/<script [^>]*nonce="abc123"/g)).toHaveLength(2);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/i);
    expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.indexOf("<link"));
  });

  it("has a language, a title, and addresses as attributes", () => {
    expect(html).toContain('<html lang="en">');
    expect(html).toContain("<title>RankLens</title>");
    expect(html).toContain('src="https://host/panel.js?a=1&amp;b=2"');
    expect(panelHtml({ ...options, language: 'de"><x' })).toContain('lang="de&quot;&gt;&lt;x"');
  });

  it("carries translated texts that cannot leave their element", () => {
    const translated = panelHtml({ ...options, strings: panelStrings((english) => `${english} ${HOSTILE}`) });
    expect(translated.match(/<\/?script/g)).toHaveLength(4);
    const json = /id="strings" nonce="abc123">(.*)<\/script>\n<script src/.exec(translated)![1];
    expect((JSON.parse(json) as Record<string, string>)["analyze"]).toBe(`Analyze Utilized Rank ${HOSTILE}`);
  });

  it("has texts of its own for every key, without places that are not counted from {0}", () => {
    for (const text of Object.values(PANEL_STRINGS)) {
      const places = [...new Set(text.match(/\{\d\}/g) ?? [])].sort();
      expect(places).toEqual(places.map((_, i) => `{${i}}`));
      expect(text.trim()).toBe(text);
      expect(text).not.toBe("");
    }
  });
});
