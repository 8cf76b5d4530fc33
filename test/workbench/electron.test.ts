import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";

describe("npm run test:electron", () => {
  it("says in a line that it needs the internet, and fails", () => {
    // Away from this repository's .vscode-test/, where a VS Code may be, and behind a proxy that does not exist.
    const cwd = mkdtempSync(path.join(tmpdir(), "ranklens-offline-"));
    try {
      const program = path.resolve(import.meta.dirname, "..", "..", "dist-test", "electron.js");
      const env = { ...process.env, npm_config_https_proxy: "http://127.0.0.1:1" };
      const { status, stderr } = spawnSync(process.execPath, [program], { cwd, env, encoding: "utf8" });
      expect(stderr).toMatch(/^test:electron: VS Code could not be downloaded; this test needs the internet\. .+$/m);
      expect(status).toBe(1);
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
});
