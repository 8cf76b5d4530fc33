import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { giveName } from "../src/giveName";

/** What the file system answers to a hard link, if not what it does. */
const refusal = vi.hoisted(() => ({ code: null as string | null, rename: false }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const fail = (code: string): never => {
    throw Object.assign(new Error(`${code}: not here`), { code });
  };
  return {
    ...real,
    linkSync: (from: string, to: string) => (refusal.code === null ? real.linkSync(from, to) : fail(refusal.code)),
    renameSync: (from: string, to: string) => (refusal.rename ? fail("EIO") : real.renameSync(from, to)),
  };
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-name-"));
  writeFileSync(at("new"), "new");
});
afterEach(() => {
  Object.assign(refusal, { code: null, rename: false });
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => path.join(folder, name);
const names = (): string[] => readdirSync(folder).sort();

describe.each([
  ["with hard links", null],
  ["without hard links", "EPERM"],
  ["where hard links are unknown", "ENOTSUP"],
])("a name is given in one step, %s", (_, code) => {
  beforeEach(() => (refusal.code = code));

  it("where it is free", () => {
    giveName(at("new"), at("a"), { force: false });
    expect(names()).toEqual(["a"]);
    expect(readFileSync(at("a"), "utf8")).toBe("new");
  });

  it("never where something has appeared meanwhile, be it a link to nothing", () => {
    writeFileSync(at("a"), "someone else's");
    symlinkSync("nothing", at("b"));
    for (const taken of ["a", "b"]) {
      expect(() => giveName(at("new"), at(taken), { force: false })).toThrow(/exists already\. Choose another name/);
    }
    expect(names()).toEqual(["a", "b", "new"]);
    expect(readFileSync(at("a"), "utf8")).toBe("someone else's");
  });

  it("over what is there only with force", () => {
    writeFileSync(at("a"), "old");
    giveName(at("new"), at("a"), { force: true });
    expect(names()).toEqual(["a"]);
    expect(readFileSync(at("a"), "utf8")).toBe("new");
  });
});

it("leaves no empty file where the name was held and could not be given", () => {
  Object.assign(refusal, { code: "EPERM", rename: true });
  expect(() => giveName(at("new"), at("a"), { force: false })).toThrow(/EIO/);
  expect(names()).toEqual(["new"]);
});
