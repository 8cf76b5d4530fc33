// npm installs sharp's platform package for the machine at hand alone. Those of other targets are fetched from the registry
// and must be byte for byte what package-lock.json names.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import path from "node:path";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));

/** The folder of a package of package-lock.json: the installed one, or one fetched into `workFolder`. */
export function platformPackage(name, workFolder) {
  const installed = path.join("node_modules", name);
  if (existsSync(installed)) return installed;
  const locked = packages[`node_modules/${name}`];
  if (!locked) throw new Error(`package-lock.json names no ${name}: the list in packaging/targets.mjs is out of date.`);
  const folder = mkdtempSync(path.join(workFolder, "package-"));
  const archive = fetched(`${name}@${locked.version}`, folder);
  verify(archive, locked.integrity, name);
  const unpacked = path.join(folder, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["-xzf", archive, "-C", unpacked, "--strip-components=1"]);
  return unpacked;
}

function fetched(specifier, folder) {
  try {
    // On Windows, npm is a script.
    const options = { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" };
    const args = ["pack", specifier, "--json", "--prefer-offline", "--pack-destination", folder];
    const [{ filename }] = JSON.parse(execFileSync("npm", args, options));
    return path.join(folder, filename);
  } catch (error) {
    const reason = /npm error (?!A complete log)(.*)/.exec(error.stderr ?? "")?.[1] ?? error.message;
    throw new Error(`${specifier} could not be fetched from the npm registry: ${reason}`, { cause: error });
  }
}

/** Throws where a file is not the one that an integrity string of package-lock.json describes. */
export function verify(archive, integrity, name) {
  const [algorithm] = integrity.split("-", 1);
  const found = `${algorithm}-${createHash(algorithm).update(readFileSync(archive)).digest("base64")}`;
  if (found !== integrity) throw new Error(`${name}: the archive is ${found}, package-lock.json says ${integrity}.`);
}
