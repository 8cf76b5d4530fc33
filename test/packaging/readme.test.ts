import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hostTarget, packagedVsix, root, textOf } from "./vsix";

/** The README for a VSIX of a package with a repository, before vsce makes addresses of its links. */
function withRepository(): string {
  const script = `import { extensionReadme } from "./packaging/readme.mjs"; process.stdout.write(extensionReadme(true));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    encoding: "utf8",
  });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}

/** Where links, pictures and elements lead. */
function addresses(readme: string): string[] {
  const found = readme.matchAll(/\]\(([^)]+)\)|(?:src|srcset|href)="([^"]+)"/g);
  return [...found].map(([, link, html]) => link ?? html);
}

describe("the README of the extension", () => {
  it("has what its users need, and no link to what is not there", async () => {
    const readme = await textOf(packagedVsix(hostTarget), "extension/readme.md");
    expect(addresses(readme).length).toBeGreaterThan(2);
    expect(addresses(readme).filter((address) => !address.startsWith("https://"))).toEqual([]);
    expect([...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
      ...["In VS Code", "How to read the numbers", "Compared with plain SVD", "Compared with data-free metrics"],
      ...["Limits", "GPUs", "Data", "What accuracy means", "More"],
    ]);
    // The command line is not in a VSIX, nor is what builds one.
    expect(readme).not.toMatch(/npm |node dist|<!--|<picture/);
  });

  it("shows its pictures where there is a repository that they can come from", () => {
    const relative = addresses(withRepository()).filter((address) => !address.startsWith("https://"));
    expect(relative.filter((file) => file.endsWith(".png"))).toHaveLength(2);
    expect(relative.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});
