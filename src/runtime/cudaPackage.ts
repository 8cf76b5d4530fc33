import { createRequire } from "node:module";
import * as z from "zod";
import { ExpectedError } from "../errors";

/** The archive with onnxruntime's CUDA provider, which npm's registry does not take for its size. */
export interface CudaPackage {
  /** The index of the NuGet feed that has it. */
  readonly feed: string;
  readonly name: string;
  /** That of onnxruntime: another one's provider does not load. */
  readonly version: string;
  readonly libraries: readonly { readonly name: string; readonly pathInArchive: string }[];
}

/** What onnxruntime-node's own install script goes by. */
const metadataSchema = z.object({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(
    z.string(),
    z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })) }),
  ),
  feeds: z.record(z.string(), z.object({ index: z.string() })),
});

/**
 * @returns null where onnxruntime has no CUDA provider to install for this platform (on Linux on x64 alone it does).
 * @throws ExpectedError where onnxruntime-node does not say, because it was pruned or is another than RankLens knows.
 */
export function cudaPackage(): CudaPackage | null {
  try {
    return packageIn(createRequire(__filename)("onnxruntime-node/script/install-metadata.js"));
  } catch (error) {
    throw new ExpectedError(
      "onnxruntime-node's script/install-metadata.js, which names its CUDA provider, is missing or has another form: install RankLens anew.",
      { cause: error },
    );
  }
}

function packageIn(metadata: unknown): CudaPackage | null {
  const { requirements, manifests, packages, feeds } = metadataSchema.parse(metadata);
  const platform = `${process.platform}/${process.arch}`;
  const requirement = requirements[platform]?.find((name) => name.startsWith("cuda"));
  if (requirement === undefined) return null;
  // TensorRT is another provider, which RankLens does not use.
  const files = Object.entries(manifests[`${platform}:${requirement}`]).filter(([name]) => !name.includes("tensorrt"));
  const { name, versions } = packages[files[0][1].package];
  const [{ feed, version }] = versions;
  const libraries = files.map(([file, { path }]) => ({ name: file.replace(/^\.\//, ""), pathInArchive: path }));
  return { feed: feeds[feed].index, name, version, libraries };
}
