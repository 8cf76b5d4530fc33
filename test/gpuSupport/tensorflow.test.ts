import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { installed, removeSupport, supportEnvironment } from "../../src/gpuSupport/places";
import { installTensorflow } from "../../src/gpuSupport/tensorflow";
import { chooseEigensolver } from "../../src/tensorflow";
import { TENSORFLOW_PACKAGE, tryTensorflow } from "../../src/tensorflow/nodeBackend";
import { tensorflowPackage } from "./standins";

const base = mkdtempSync(path.join(tmpdir(), "ranklens tensorflow-"));
const root = path.join(base, "data");
afterAll(() => rmSync(base, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const standin = (folder: string, script?: string): string => tensorflowPackage(path.join(base, folder), script);

describe("TensorFlow", () => {
  // Without the network, in whatever way npm is set up.
  beforeAll(() => void vi.stubEnv("npm_config_offline", "true"));

  it("is installed by npm, found by the analysis process, and removed", async () => {
    let said = "";
    const from = standin("good");
    expect(supportEnvironment(root)).toEqual({});
    const folder = await installTensorflow(root, {
      from: path.relative(".", from),
      onOutput: (text) => (said += text),
    });
    expect(readdirSync(root)).toEqual(["tensorflow"]);
    expect(said).toContain("added 1 package");
    const environment = supportEnvironment(root);
    expect(environment).toEqual({ RANKLENS_TENSORFLOW: folder });
    expect(tryTensorflow()).toBe("not installed");
    vi.stubEnv("RANKLENS_TENSORFLOW", folder);
    expect(chooseEigensolver().name).toBe(`${TENSORFLOW_PACKAGE} 4.99.0`);
    vi.stubEnv("RANKLENS_TENSORFLOW", path.relative(".", folder));
    expect(chooseEigensolver().name).toBe(`${TENSORFLOW_PACKAGE} 4.99.0`);
    // The user's own.
    expect(supportEnvironment(root)).toEqual({});
    expect(removeSupport("tensorflow", root)).toBe(true);
    expect(installed("tensorflow", root)).toBeNull();
  });

  it("leaves what is there where its script fails, and says why in one line", async () => {
    await installTensorflow(root, { from: `file:${standin("good")}` });
    const from = standin("bad", `console.error("no CUDA"); process.exit(7)`);
    await expect(installTensorflow(root, { from: `file:${from}` })).rejects.toThrow(
      /^@tensorflow\/tfjs-node-gpu@file:[^\n]* is not installed: npm says: [^\n]+$/,
    );
    expect(readdirSync(root)).toEqual(["tensorflow"]);
    expect(installed("tensorflow", root)).not.toBeNull();
  });

  it("says what to do where there is no npm", async () => {
    vi.stubEnv("PATH", base);
    await expect(installTensorflow(root)).rejects.toThrow(/^npm was not found: install Node\.js/);
    expect(readdirSync(root)).toEqual([]);
  });

  it("is given up where the user cancels, with the scripts that npm runs", async () => {
    const proof = path.join(base, "proof");
    const slow = `setTimeout(() => require("node:fs").writeFileSync(${JSON.stringify(proof)}, ""), 4000);
      require("node:fs").writeFileSync(${JSON.stringify(`${proof}-begun`)}, "")`;
    const stop = new AbortController();
    const from = `file:${standin("slow", slow)}`;
    const failed = installTensorflow(root, { from, signal: stop.signal });
    const begun = (async () => {
      while (!existsSync(`${proof}-begun`)) await sleep(50);
      stop.abort(new Error("enough"));
    })();
    await expect(failed).rejects.toThrow("enough");
    await begun;
    expect(readdirSync(root)).toEqual([]);
    await sleep(4500);
    expect(existsSync(proof)).toBe(false);
  });
});
