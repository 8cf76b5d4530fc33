import { describe, expect, it } from "vitest";
import { parseFromPanel, pngName } from "../../src/host/fromPanel";

describe("messages of the panel", () => {
  it.each([
    { kind: "ready" },
    { kind: "analyze", preview: true },
    { kind: "cancel" },
    { kind: "export" },
    { kind: "openConfig" },
    { kind: "showLog" },
    { kind: "copy", format: "csv" },
    { kind: "savePng", name: "snapshot", png: Uint8Array.of(1, 2) },
  ])("are taken: $kind", (message) => {
    expect(parseFromPanel(message)).toEqual(message);
  });

  it.each([
    [null],
    ["ready"],
    [{}],
    [{ kind: "run", command: "rm" }],
    [{ kind: "analyze" }],
    [{ kind: "analyze", preview: "yes" }],
    [{ kind: "copy", format: "xlsx" }],
    [{ kind: "ready", more: 1 }],
    [{ kind: "savePng", name: "a", png: [1, 2] }],
  ])("are not believed blindly: %j", (message) => {
    expect(parseFromPanel(message)).toBeNull();
  });

  it("hold no picture that is too large for one", () => {
    const png = (bytes: number): unknown => parseFromPanel({ kind: "savePng", name: "a", png: new Uint8Array(bytes) });
    expect(png(64 * 1024 * 1024)).not.toBeNull();
    expect(png(64 * 1024 * 1024 + 1)).toBeNull();
  });

  it.each([
    ["snapshot", "snapshot.png"],
    ["spectra layer1.0/conv:1.PNG", "spectra-layer1.0-conv-1.png"],
    ["../../etc/passwd", "etc-passwd.png"],
    ["größe 比", "größe-比.png"],
    ["", "chart.png"],
    ["...", "chart.png"],
    ["x".repeat(300), `${"x".repeat(80)}.png`],
  ])("name files safely: %j", (name, file) => {
    expect(pngName(name)).toBe(file);
  });
});
