import { copyFileSync, constants, existsSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { ExpectedError, isExpected } from "../errors";
import { cudaPackage, type CudaPackage } from "../runtime/cudaPackage";
import { binaryFolder, includedProviders, RUNTIME_LIBRARY } from "../runtime/providersHere";
import { stageFolder } from "../stageFolder";
import { UnwritableError, writing } from "../unwritable";
import { openArchive } from "./archive";
import { download, type DownloadOptions } from "./download";
import { findPackage } from "./nuget";
import { placeOf, removeSupport } from "./places";

export interface InstallCudaOptions extends DownloadOptions {
  /** The archive, or its address; otherwise it comes from where onnxruntime's own install script takes it. */
  readonly from?: string | undefined;
}

/** What a downloaded archive is called, beside its libraries. */
const DOWNLOADED = "archive.nupkg";

/**
 * Installs onnxruntime's CUDA provider, of the version of the onnxruntime that is here. Onnxruntime looks for providers in
 * the folder that it was loaded from itself, and an extension's or a package's folder may be read-only and is replaced by
 * the next update: so a copy of its library (46 MB) goes into a folder of the user's, together with the provider.
 * @param root the folder of all that is installed.
 * @returns the folder with the libraries.
 * @throws ExpectedError where it cannot be had, in one line with what to do; what was installed before is then as it was.
 */
export async function installCuda(root: string, options: InstallCudaOptions = {}): Promise<string> {
  const wanted = cudaPackage();
  const target = placeOf("cuda", root);
  if (wanted === null || target === null) throw new ExpectedError(nothingToInstall());
  const staged = stageFolder(target);
  try {
    const archive = await fetchArchive(wanted, staged.temporary, options);
    await unpack(archive, wanted, staged.temporary, options.signal);
    writing(target, () => {
      rmSync(path.join(staged.temporary, DOWNLOADED), { force: true });
      const library = path.join(binaryFolder(), RUNTIME_LIBRARY);
      copyFileSync(library, path.join(staged.temporary, RUNTIME_LIBRARY), constants.COPYFILE_FICLONE);
    });
    options.signal?.throwIfAborted();
    staged.commit();
  } catch (error) {
    // What the disk does not take, it does not take from another source either.
    if (!isExpected(error) || error instanceof UnwritableError) throw error;
    const why = error.message.replace(/\.$/, "");
    throw new ExpectedError(`CUDA's provider is not installed: ${why}. ${otherWay(wanted)}`, { cause: error });
  } finally {
    staged.discard();
  }
  try {
    // Those of other versions take half a gigabyte each, and no onnxruntime that is here loads them.
    removeSupport("cuda", root, target);
  } catch {
    // The new one is installed all the same.
  }
  return target;
}

/** Why nothing can be installed, and what is used instead. */
function nothingToInstall(): string {
  const here = `${process.platform}-${process.arch}`;
  const included = includedProviders().map(({ title }) => title);
  return included.length === 0
    ? `onnxruntime has no GPU provider for ${here}: models run on the processor.`
    : `On ${here} models run through ${included.join(" or ")}, which come with RankLens: there is nothing to install.`;
}

function otherWay({ name, version }: CudaPackage): string {
  return `Download https://www.nuget.org/api/v2/package/${name}/${version} another way, and install from that file (--from FILE; in VS Code: From a Downloaded File).`;
}

/** An archive, and what messages call it. */
interface Fetched {
  readonly file: string;
  readonly what: string;
}

async function fetchArchive(wanted: CudaPackage, folder: string, options: InstallCudaOptions): Promise<Fetched> {
  const { from } = options;
  if (from !== undefined && !/^https?:\/\//.test(from)) {
    if (!existsSync(from)) throw new ExpectedError(`there is no file ${from}`);
    if (!statSync(from).isFile()) throw new ExpectedError(`${from} is no file`);
    return { file: from, what: from };
  }
  const file = path.join(folder, DOWNLOADED);
  if (from !== undefined) {
    await download(from, file, options);
    return { file, what: from };
  }
  const found = await findPackage(wanted.feed, wanted.name, wanted.version, options);
  const { bytes, sha512 } = await download(found.url, file, options);
  if (bytes !== found.bytes || sha512 !== found.sha512) {
    throw new ExpectedError(
      `${found.url} was damaged on its way: it has ${bytes} bytes, and ${found.bytes} with another hash were announced`,
    );
  }
  return { file, what: found.url };
}

async function unpack(
  { file, what }: Fetched,
  { name, version, libraries }: CudaPackage,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const archive = await openArchive(file, what);
  try {
    if (archive.name.toLowerCase() !== name.toLowerCase() || archive.version !== version) {
      throw new ExpectedError(`${what} is ${archive.name} ${archive.version}, and it takes ${name} ${version}`);
    }
    for (const one of libraries) await archive.extract(one.pathInArchive, path.join(folder, one.name), signal);
  } finally {
    archive.close();
  }
}
