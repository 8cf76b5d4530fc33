// The licences of what is passed on with RankLens: packages within its bundles, and packages copied beside them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const texts = path.join(path.dirname(fileURLToPath(import.meta.url)), "licences");

/** Of packages that come without a text of their licence. {version} is theirs. */
const missing = {
  "onnxruntime-node": ["onnxruntime.txt"],
  "onnxruntime-common": ["onnxruntime.txt"],
  "@bufbuild/protobuf": ["protobuf.txt", "Apache-2.0.txt"],
};

/** libvips: the LGPL adds to the text of the GPL. The package's README lists the libraries within with their licences. */
const lesserGeneral = ["LGPL-3.0.txt", "GPL-3.0.txt"];

/**
 * For each output of a build the packages of which something is in it, as folders: `node_modules/zod`.
 * @param metafile as esbuild gives it.
 */
export function packagesWithin({ outputs }) {
  const found = Object.entries(outputs).map(([file, { inputs }]) => {
    const used = Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0);
    const folders = used.flatMap((input) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
    return [file, [...new Set(folders)].sort()];
  });
  return Object.fromEntries(found.filter(([, folders]) => folders.length > 0));
}

/** Writes the licences of the packages in `folders` into one file. A package without any is a mistake. */
export function writeNotices(file, folders) {
  const packages = [...new Set(folders)].map(described).sort((a, b) => (a.name < b.name ? -1 : 1));
  // Many packages of one author have the same text.
  const parts = [...new Set(packages.map(({ text }) => text))].map((text) => {
    const users = packages.filter((one) => one.text === text);
    return `${users.map(titled).join("\n")}\n\n${text.trim()}`;
  });
  const intro = `RankLens contains the following software of others.\n\n${packages.map(titled).join("\n")}`;
  writeFileSync(file, `${[intro, ...parts].join(`\n\n${"=".repeat(80)}\n\n`)}\n`);
}

function described(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const own = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)\b/i.test(file));
  const isLesserGeneral = license.includes("LGPL");
  const read = [
    ...(isLesserGeneral ? [...own, "README.md"] : own).map((file) => path.join(folder, file)),
    ...(isLesserGeneral ? lesserGeneral : own.length === 0 ? (missing[name] ?? []) : []).map((file) =>
      path.join(texts, file),
    ),
  ];
  if (read.length === 0)
    throw new Error(`${name} has no text of its licence (${license}): packaging/notices.mjs needs one.`);
  const text = read.map((file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n").replaceAll("{version}", version));
  return { name, version, license, text: text.join("\n\n") };
}

function titled({ name, version, license }) {
  return `${name} ${version}: ${license.replace(/^\((.*)\)$/, "$1")}`;
}
