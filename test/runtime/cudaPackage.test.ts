import { expect, it, vi } from "vitest";
import { ExpectedError } from "../../src/errors";
import { cudaPackage } from "../../src/runtime/cudaPackage";

let metadata: () => unknown;
vi.mock("node:module", () => ({ createRequire: () => () => metadata() }));

it.each<[string, () => unknown]>([
  [
    "are missing",
    () => {
      throw new Error("Cannot find module 'onnxruntime-node/script/install-metadata.js'");
    },
  ],
  ["have another form", () => ({ requirements: [] })],
  [
    "name what they do not describe",
    () => ({
      requirements: { [`${process.platform}/${process.arch}`]: ["cuda12"] },
      manifests: {},
      packages: {},
      feeds: {},
    }),
  ],
])("says so in one line where onnxruntime's metadata %s", (_, given) => {
  metadata = given;
  expect(() => cudaPackage()).toThrow(ExpectedError);
  expect(() => cudaPackage()).toThrow(/^onnxruntime-node's [^\n]+ install RankLens anew\.$/);
});
