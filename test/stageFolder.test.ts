import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeUnfinished } from "../src/atomicFile";
import { stageFolder } from "../src/stageFolder";
import { UnwritableError } from "../src/unwritable";

let folder = "";
let target = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-stage-"));
  target = path.join(folder, "target");
});
afterEach(() => rmSync(folder, { recursive: true }));

function old(): void {
  mkdirSync(target);
  writeFileSync(path.join(target, "a"), "old");
}
const content = (): string => readFileSync(path.join(target, "a"), "utf8");

it("takes the place of what is there, and nothing else is left", () => {
  old();
  const staged = stageFolder(target);
  writeFileSync(path.join(staged.temporary, "a"), "new");
  expect(content()).toBe("old");
  staged.commit();
  staged.discard();
  expect(content()).toBe("new");
  expect(readdirSync(folder)).toEqual(["target"]);
});

it("puts back what was there where the new one cannot be moved in", () => {
  old();
  const staged = stageFolder(target);
  rmSync(staged.temporary, { recursive: true });
  expect(() => staged.commit()).toThrow(UnwritableError);
  expect(content()).toBe("old");
  expect(readdirSync(folder)).toEqual(["target"]);
});

it("is removed where the process is interrupted", () => {
  const staged = stageFolder(path.join(target, "within"));
  writeFileSync(path.join(staged.temporary, "a"), "new");
  removeUnfinished();
  expect(readdirSync(target)).toEqual([]);
});

it("says in one line that its parent cannot be written to", () => {
  writeFileSync(target, "");
  expect(() => stageFolder(path.join(target, "within"))).toThrow(/^\S+within could not be written: [^\n]+$/);
});
