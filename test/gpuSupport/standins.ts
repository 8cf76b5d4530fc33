import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { cudaPackage, type CudaPackage } from "../../src/runtime/cudaPackage";
import { binaryFolder } from "../../src/runtime/providersHere";
import { TENSORFLOW_PACKAGE } from "../../src/tensorflow/nodeBackend";
import { zipBytes, type ZipEntry } from "../fixtures/zip";

/** What onnxruntime's archive is on a platform that has one. */
export function wanted(): CudaPackage {
  const found = cudaPackage();
  if (!found) throw new Error("onnxruntime has no CUDA provider for this platform");
  return found;
}

/**
 * A library that the loader takes for one of CUDA's: onnxruntime's binding, of which a needed library has another name. Null
 * leaves it as it is, so that all that it needs is there.
 */
export function library(needs: string | null): Buffer {
  const bytes = readFileSync(path.join(binaryFolder(), "onnxruntime_binding.node"));
  if (needs === null) return bytes;
  const needed = Buffer.from("libonnxruntime.so.1\0");
  const at = bytes.indexOf(needed);
  if (at < 0 || needs.length >= needed.length) throw new Error(`${needs} cannot be needed`);
  bytes.fill(0, at, at + needed.length);
  bytes.write(needs, at);
  return bytes;
}

/** An archive with the layout of onnxruntime's, whose provider needs a library. */
export function cudaArchive(
  needs: string | null,
  { version = wanted().version, name = wanted().name, spoil = (entries: ZipEntry[]) => entries } = {},
): Buffer {
  const nuspec = `<?xml version="1.0"?><package><metadata><id>${name}</id><version>${version}</version></metadata></package>`;
  const folder = "runtimes/linux-x64/native/";
  const entries: ZipEntry[] = [
    { name: `${name}.nuspec`, data: Buffer.from(nuspec), deflate: true },
    { name: `${folder}libonnxruntime.so`, data: Buffer.from("not wanted") },
    { name: `${folder}libonnxruntime_providers_cuda.so`, data: library(needs), deflate: true },
    { name: `${folder}libonnxruntime_providers_shared.so`, data: library(null), deflate: true },
    { name: `${folder}libonnxruntime_providers_tensorrt.so`, data: Buffer.from("not wanted either") },
  ];
  return zipBytes(spoil(entries));
}

/** A server of files, and what it was asked for. */
export interface FileServer {
  readonly url: string;
  readonly asked: string[];
  /** Contents by path; a path that is not there is 404, and null an answer that stays away after its first bytes. */
  readonly files: Map<string, Uint8Array | string | null>;
  close(): Promise<void>;
}

export async function fileServer(): Promise<FileServer> {
  const asked: string[] = [];
  const files: FileServer["files"] = new Map();
  const server: Server = createServer((request, response) => {
    const at = request.url ?? "";
    asked.push(at);
    const content = files.get(at);
    if (content === undefined) {
      response.writeHead(404).end();
    } else if (content === null) {
      response.writeHead(200, { "content-length": 1e9 }).write("PK");
    } else {
      response.end(content);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url, asked, files, close };
}

/** Fills a server as a NuGet feed with one archive. @returns the feed's address. */
export function serveFeed({ url, files }: FileServer, archive: Buffer | null, announced = archive!): string {
  const { name, version } = wanted();
  const [id, file] = [name.toLowerCase(), `/packages/${name.toLowerCase()}.${version}.nupkg`];
  const json = (at: string, content: object): void => void files.set(at, JSON.stringify(content));
  json("/index.json", {
    resources: [
      { "@id": `${url}/flat/`, "@type": "PackageBaseAddress/3.0.0" },
      { "@id": `${url}/registration`, "@type": "RegistrationsBaseUrl/3.6.0" },
    ],
  });
  json(`/registration/${id}/${version}.json`, { packageContent: `${url}${file}`, catalogEntry: `${url}/catalog.json` });
  const packageHash = createHash("sha512").update(announced).digest("base64");
  json("/catalog.json", { packageHash, packageHashAlgorithm: "SHA512", packageSize: announced.length });
  files.set(file, archive);
  return `${url}/index.json`;
}

/**
 * A folder that npm installs as TensorFlow's package: its install script leaves a file behind, as the real one's leaves its
 * libraries, without which it does not load.
 */
export function tensorflowPackage(
  folder: string,
  script = 'require("node:fs").writeFileSync("library.js", "")',
): string {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  const scripts = { install: "node install.cjs" };
  write("package.json", JSON.stringify({ name: TENSORFLOW_PACKAGE, version: "4.99.0", main: "index.js", scripts }));
  write("install.cjs", script);
  write(
    "index.js",
    `require("./library.js");
    const backend = { isUsingGpuDevice: true, binding: {}, executeMultipleOutputs() {} };
    module.exports = { version: { "tfjs-node": "4.99.0" }, tensor2d() {}, backend: () => backend };`,
  );
  return folder;
}
