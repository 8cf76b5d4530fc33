import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import { z } from "zod";
import { entriesOf, hostTarget, packagedVsix, root, textOf, unpack } from "./vsix";

const MEGABYTE = 2 ** 20;

/** What is in every VSIX, but for the JavaScript of the packages. vsce changes the names of three files. */
const everywhere = [
  "extension.vsixmanifest",
  "[Content_Types].xml",
  "extension/package.json",
  "extension/package.nls.json",
  "extension/readme.md",
  "extension/changelog.md",
  "extension/LICENSE.txt",
  "extension/ThirdPartyNotices.txt",
  "extension/media/icon.png",
  ...["sample", "read", "own", "export"].map((step) => `extension/media/walkthrough/${step}.svg`),
  ...[
    "extension.js",
    "app.js",
    "worker.js",
    "deviceTrial.js",
    "shard.js",
    "solveThread.js",
    "webview/panel.js",
    "webview/panel.css",
  ].map((file) => `extension/dist/${file}`),
  "extension/dist/config.schema.json",
  "extension/dist/report.schema.json",
  ...[
    "README.md",
    "calibration_images.npy",
    "calibration_labels.npy",
    "images.py",
    "model.onnx",
    "model.ranklens.json",
    "network.py",
    "train.py",
    "validation_images.npy",
    "validation_labels.npy",
  ].map((file) => `extension/examples/shapes/${file}`),
  ...[
    "onnxruntime-node/package.json",
    "onnxruntime-common/package.json",
    "onnxruntime-common/dist/cjs/package.json",
    "sharp/package.json",
    "sharp/LICENSE",
    "@img/colour/package.json",
    "@img/colour/LICENSE.md",
    "detect-libc/package.json",
    "detect-libc/LICENSE",
    "semver/package.json",
    "semver/LICENSE",
  ].map((file) => `extension/dist/node_modules/${file}`),
];

/** JavaScript that packages load when they run. */
const packageCode =
  /^extension\/dist\/node_modules\/(onnxruntime-node\/(dist\/\w+|script\/install-metadata(-versions)?)\.js|onnxruntime-common\/dist\/cjs\/[\w-]+\.js|sharp\/dist\/\w+\.cjs|@img\/colour\/(index|color)\.cjs|detect-libc\/lib\/[\w-]+\.js|semver\/(index|(classes|functions|internal|ranges)\/[\w-]+)\.js)$/;

function unixImages(target: string, library: string): string[] {
  return [
    ...["package.json", "LICENSE", "index.cjs", `lib/sharp-${target}-0.35.5.node`].map((f) => `sharp-${target}/${f}`),
    ...["package.json", "README.md", "versions.json", "lib/index.js", `lib/${library}`].map(
      (file) => `sharp-libvips-${target}/${file}`,
    ),
  ];
}

const targets = [
  {
    target: "linux-x64",
    megabytes: 35,
    binaries: ["linux/x64/libonnxruntime.so.1", "linux/x64/onnxruntime_binding.node"],
    images: unixImages("linux-x64", "libvips-cpp.so.8.18.7"),
  },
  {
    target: "linux-arm64",
    megabytes: 35,
    binaries: ["linux/arm64/libonnxruntime.so.1", "linux/arm64/onnxruntime_binding.node"],
    images: unixImages("linux-arm64", "libvips-cpp.so.8.18.7"),
  },
  {
    target: "darwin-arm64",
    megabytes: 35,
    binaries: ["darwin/arm64/libonnxruntime.1.dylib", "darwin/arm64/onnxruntime_binding.node"],
    images: unixImages("darwin-arm64", "libvips-cpp.8.18.7.dylib"),
  },
  {
    target: "win32-x64",
    megabytes: 45,
    binaries: ["DirectML.dll", "dxcompiler.dll", "dxil.dll", "onnxruntime.dll", "onnxruntime_binding.node"].map(
      (file) => `win32/x64/${file}`,
    ),
    images: [
      ...["package.json", "LICENSE", "README.md", "index.cjs", "versions.json"],
      ...["lib/libvips-42.dll", "lib/libvips-cpp-8.18.7.dll", "lib/sharp-win32-x64-0.35.5.node"],
    ].map((file) => `sharp-win32-x64/${file}`),
  },
];

/** The VSIX for a target; the test is left out, and that is said, where npm cannot give the packages of another platform. */
function packagedOrSkipped(target: string, { skip }: TestContext): string {
  try {
    return packagedVsix(target);
  } catch (error) {
    if (!/could not be fetched from the npm registry/.test(String(error))) throw error;
    console.warn(`The VSIX for ${target} was NOT TESTED. ${String(error)}`);
    return skip("sharp for this platform could not be fetched");
  }
}

/** The packages that are in a bundle of dist/, by its source map. */
function packagesByMap(bundle: string): string[] {
  const map = JSON.parse(readFileSync(path.join(root, "dist", `${bundle}.map`), "utf8")) as unknown;
  const { sources } = z.object({ sources: z.array(z.string()) }).parse(map);
  return sources.flatMap((source) => /node_modules\/((?:@\w+\/)?[^/]+)/.exec(source)?.[1] ?? []);
}

describe.each(targets)("the VSIX for $target", ({ target, megabytes, binaries, images }) => {
  it("holds what runs there and nothing else, and is small", async (context) => {
    const vsix = packagedOrSkipped(target, context);
    const entries = await entriesOf(vsix);
    const code = [...entries.keys()].filter((file) => packageCode.test(file));
    const expected = [
      ...everywhere,
      ...binaries.map((file) => `extension/dist/node_modules/onnxruntime-node/bin/napi-v6/${file}`),
      ...images.map((file) => `extension/dist/node_modules/@img/${file}`),
      ...code,
    ];
    expect([...entries.keys()].sort()).toEqual(expected.sort());
    expect(code.length).toBeGreaterThan(80);
    expect([...entries].filter(([, size]) => size === 0)).toEqual([]);
    expect(statSync(vsix).size).toBeLessThan(megabytes * MEGABYTE);
  });

  it("names all software of others in it, with its licence", async (context) => {
    const vsix = packagedOrSkipped(target, context);
    const beside = [...(await entriesOf(vsix)).keys()].flatMap((file) => {
      return /^extension\/dist\/node_modules\/((?:@\w+\/)?[\w-]+)\/package\.json$/.exec(file)?.[1] ?? [];
    });
    expect(beside).toContain("onnxruntime-node");
    const within = ["extension.js", "app.js", "worker.js"].flatMap((bundle) => packagesByMap(bundle));
    expect(within).toContain("@lezer/python");
    // The panel is built without a source map.
    const all = [...beside, ...within, "chart.js", "@kurkle/color"];
    const notices = await textOf(vsix, "extension/ThirdPartyNotices.txt");
    const [list] = notices.split("====", 1);
    const named = [...list.matchAll(/^(\S+) \d+\.\d+\.\d+: .*[A-Z]/gm)].map(([, name]) => name);
    expect(named).toEqual([...new Set(all)].sort());
    for (const name of named) expect(notices.split(`\n${name} `).length, name).toBe(3);
    for (const text of [
      "Microsoft Corporation",
      "Apache License",
      "GNU LESSER GENERAL PUBLIC LICENSE",
      "librsvg",
      "Google Inc.",
    ]) {
      expect(notices).toContain(text);
    }
  });
});

describe.skipIf(!targets.some(({ target }) => target === hostTarget))("the VSIX for this machine", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-vsix-"));
  const extension = path.join(folder, "extension");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("says whom it is for, and nothing of how it was built", async () => {
    await unpack(packagedVsix(hostTarget), folder);
    expect(readFileSync(path.join(folder, "extension.vsixmanifest"), "utf8")).toContain(
      `TargetPlatform="${hostTarget}"`,
    );
    const manifest = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(readFileSync(path.join(extension, "package.json"), "utf8")));
    expect(manifest).toMatchObject({ name: "ranklens", main: "./dist/extension.js", extensionKind: ["workspace"] });
    const ofNpm = ["scripts", "dependencies", "devDependencies", "bin"];
    expect(Object.keys(manifest).filter((field) => ofNpm.includes(field))).toEqual([]);
  });

  it("decodes images and runs a model with the packages that it holds, far from this repository", async () => {
    // The command line is the same core, bundled in the same way.
    const cli = path.join(extension, "dist", "cli.js");
    copyFileSync(path.join(root, "dist", "cli.js"), cli);
    mkdirSync(path.join(folder, "pictures"));
    for (const shade of [40, 90, 140, 190]) {
      const create = { width: 24, height: 24, channels: 3 as const, background: { r: shade, g: 255 - shade, b: 99 } };
      await sharp({ create })
        .png()
        .toFile(path.join(folder, "pictures", `${shade}.png`));
    }
    const config = path.join(folder, "pictures.json");
    writeFileSync(config, JSON.stringify({ calibration: { source: "pictures" }, preprocess: { scale: 1 / 255 } }));
    const model = path.join(extension, "examples", "shapes", "model.onnx");
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "analyze", model, "--config", config], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stderr).not.toContain("Error");
    expect(stdout).toContain("features.0.weight");
    expect(status).toBe(0);
  });
});

describe("npm run package", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

  it("names the targets where one is asked for that does not exist", () => {
    const { status, stderr } = run("packaging/package.mjs", "--target", "darwin-x64");
    expect(stderr).toBe(
      "package: There is no target darwin-x64; there are linux-x64, linux-arm64, darwin-arm64, win32-x64, and all.\n",
    );
    expect(status).toBe(1);
  });

  it("takes no archive but the one that package-lock.json names", () => {
    const script = `import { verify } from "./packaging/platformPackage.mjs"; verify("LICENSE", "sha512-AAAA", "sharp");`;
    const { status, stderr } = run("--input-type=module", "--eval", script);
    expect(stderr).toMatch(/sharp: the archive is sha512-\S{88}, package-lock\.json says sha512-AAAA\./);
    expect(status).toBe(1);
  });
});
