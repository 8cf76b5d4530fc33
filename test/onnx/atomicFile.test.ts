import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkTarget, removeUnfinished, stageFile, writeFileAtomically } from "../../src/atomicFile";
import { ExpectedError } from "../../src/errors";

let folder = "";
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "ranklens-atomic-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string): string => path.join(folder, name);
const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];
const names = (): string[] => readdirSync(folder).sort();

describe("writing a file all or nothing", () => {
  it("joins its chunks", () => {
    writeFileAtomically(inFolder("a"), [...text("one "), ...text(""), ...text("two")], { force: false });
    expect(readFileSync(inFolder("a"), "utf8")).toBe("one two");
    expect(names()).toEqual(["a"]);
  });

  it("overwrites only where that is allowed", () => {
    writeFileSync(inFolder("a"), "old");
    expect(() => writeFileAtomically(inFolder("a"), text("new"), { force: false })).toThrow(ExpectedError);
    expect(() => checkTarget(inFolder("a"), { force: false })).toThrow(/exists already/);
    expect(readFileSync(inFolder("a"), "utf8")).toBe("old");
    writeFileAtomically(inFolder("a"), text("new"), { force: true });
    expect(readFileSync(inFolder("a"), "utf8")).toBe("new");
  });

  it("leaves the old file and nothing else where its chunks fail", () => {
    writeFileSync(inFolder("a"), "old");
    function* failing(): Generator<Uint8Array> {
      yield* text("half");
      expect(names()).toHaveLength(2);
      throw new Error("the source is gone");
    }
    expect(() => writeFileAtomically(inFolder("a"), failing(), { force: true })).toThrow(/the source is gone/);
    expect(() => writeFileAtomically(inFolder("a"), failing(), { force: true })).toThrow(ExpectedError);
    expect(names()).toEqual(["a"]);
    expect(readFileSync(inFolder("a"), "utf8")).toBe("old");
  });

  it("removes what it had begun when it is interrupted", () => {
    function* interrupted(): Generator<Uint8Array> {
      yield* text("half");
      removeUnfinished();
      expect(names()).toEqual([]);
    }
    expect(() => writeFileAtomically(inFolder("a"), interrupted(), { force: false })).toThrow(ExpectedError);
    expect(names()).toEqual([]);
  });

  it("stages a file under another name until it is committed or discarded", () => {
    const staged = stageFile(inFolder("a"), text("x"), { force: false });
    expect(names()).toEqual([path.basename(staged.temporary)]);
    staged.discard();
    expect(names()).toEqual([]);
    const second = stageFile(inFolder("a"), text("x"), { force: false });
    writeFileSync(inFolder("a"), "someone else's");
    expect(() => second.commit()).toThrow(/exists already/);
    expect(names()).toEqual(["a"]);
    expect(readFileSync(inFolder("a"), "utf8")).toBe("someone else's");
  });

  it("refuses a folder that does not exist, one that is a file, and a target that is a folder", () => {
    writeFileSync(inFolder("file"), "");
    mkdirSync(inFolder("folder"));
    for (const target of ["none/a", "file/a", "folder"]) {
      expect(() => writeFileAtomically(inFolder(target), text("x"), { force: true })).toThrow(ExpectedError);
    }
    expect(names()).toEqual(["file", "folder"]);
  });

  it("removes what dead processes left for the same target, and nothing else", () => {
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    const kept = [
      `.a.${process.ppid}.ranklens-tmp`,
      `.b.${dead}.ranklens-tmp`,
      `.a.b.${dead}.ranklens-tmp`,
      `a.${dead}.ranklens-tmp`,
      `.a.${dead}.ranklens-tmp.txt`,
      `.a.${dead}x.ranklens-tmp`,
      "other.onnx",
    ];
    for (const name of [...kept, `.a.${dead}.ranklens-tmp`]) writeFileSync(inFolder(name), "");
    writeFileAtomically(inFolder("a"), text("x"), { force: false });
    expect(names()).toEqual([...kept, "a"].sort());
  });
});
