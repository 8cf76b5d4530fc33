// Lays out the files of an extension for one target in a folder of their own: exactly what runs, and what users read.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeNotices } from "./notices.mjs";
import { platformPackage } from "./platformPackage.mjs";
import { extensionReadme } from "./readme.mjs";
import { targets } from "./targets.mjs";

/** What the npm package needs of package.json and of dist/, and the extension does not. */
const npmFields = ["bin", "exports", "files", "scripts", "dependencies", "devDependencies", "allowScripts"];
const npmFiles = /^(cli\.js|index\.js|types|bundledPackages\.json|ThirdPartyNotices\.txt)$|\.map$/;

/** The packages that bundles load at run time, with what they read of them. */
const packages = {
  // The scripts tell where the CUDA provider is to be had.
  "onnxruntime-node": ["package.json", "dist/*.js", "script/install-metadata*.js"],
  "onnxruntime-common": ["package.json", "dist/cjs/package.json", "dist/cjs/*.js"],
  sharp: ["package.json", "LICENSE", "dist/*.cjs"],
  "@img/colour": ["package.json", "LICENSE.md", "*.cjs"],
  "detect-libc": ["package.json", "LICENSE", "lib/*.js"],
  semver: [
    ...["package.json", "LICENSE", "index.js"],
    ...["classes/*.js", "functions/*.js", "internal/*.js", "ranges/*.js"],
  ],
};

/** Copies `folder/*.extension` or one file, relative to `from`. A pattern without a file is a mistake. */
function copy(from, to, pattern) {
  const [before, after] = pattern.split("*");
  const folder = path.posix.dirname(pattern);
  const files =
    after === undefined
      ? [pattern]
      : readdirSync(path.join(from, folder))
          .map((name) => path.posix.join(folder, name))
          .filter((file) => file.startsWith(before) && file.endsWith(after));
  if (files.length === 0) throw new Error(`${path.join(from, pattern)} matches no file.`);
  for (const file of files) cpSync(path.join(from, file), path.join(to, file));
}

/** Fills the empty `folder` for `target`; `workFolder` takes what has to be fetched for it. */
export function stage(target, folder, workFolder) {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  for (const field of npmFields) delete manifest[field];
  // vsce wants to be told what to take: all that is here.
  manifest.files = ["**"];
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(path.join(folder, "README.md"), extensionReadme(manifest.repository !== undefined));
  for (const file of ["CHANGELOG.md", "LICENSE", "media/icon.png"]) copy(".", folder, file);
  if (existsSync("package.nls.json")) copy(".", folder, "package.nls.json");
  for (const tree of ["media/walkthrough", "examples/shapes"])
    cpSync(tree, path.join(folder, tree), { recursive: true });
  cpSync("dist", path.join(folder, "dist"), {
    recursive: true,
    filter: (file) => !npmFiles.test(path.relative("dist", file).split(path.sep).join("/")),
  });

  // Beside the bundles, where Node looks first: vsce leaves out a node_modules at the top unless `npm list` finds every
  // package complete, with all that onnxruntime-node's install script would need.
  const modules = path.join(folder, "dist", "node_modules");
  const withLicences = bundledPackages();
  for (const [name, patterns] of Object.entries(packages)) {
    const source = path.join("node_modules", name);
    for (const pattern of patterns) copy(source, path.join(modules, name), pattern);
    withLicences.push(source);
  }
  const { onnxruntime, sharp } = targets[target];
  const [binaries, files] = onnxruntime;
  for (const file of files) {
    const binary = path.posix.join("bin/napi-v6", binaries, file);
    copy(path.join("node_modules", "onnxruntime-node"), path.join(modules, "onnxruntime-node"), binary);
  }
  for (const [name, patterns] of Object.entries(sharp)) {
    const source = platformPackage(name, workFolder);
    mkdirSync(path.join(modules, name), { recursive: true });
    for (const pattern of patterns) copy(source, path.join(modules, name), pattern);
    withLicences.push(source);
  }
  writeNotices(path.join(folder, "ThirdPartyNotices.txt"), withLicences);
}

/** The packages in those bundles of dist/ that an extension has. */
function bundledPackages() {
  const bundled = JSON.parse(readFileSync("dist/bundledPackages.json", "utf8"));
  return Object.keys(bundled).flatMap((file) => (npmFiles.test(file) ? [] : bundled[file]));
}
