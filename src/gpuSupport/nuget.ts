import * as z from "zod";
import { ExpectedError } from "../errors";
import { downloadJson, type DownloadOptions } from "./download";

/** A package of a NuGet feed. */
export interface NugetPackage {
  readonly url: string;
  readonly bytes: number;
  /** Base64. */
  readonly sha512: string;
}

const indexSchema = z.object({ resources: z.array(z.object({ "@id": z.string(), "@type": z.string() })) });
const leafSchema = z.object({ packageContent: z.string(), catalogEntry: z.string() });
const catalogSchema = z.object({
  packageHash: z.string(),
  packageHashAlgorithm: z.literal("SHA512"),
  packageSize: z.number(),
});

/**
 * Looks a package up by NuGet's V3 protocol: service index, registration leaf, catalog entry.
 * @param feed the address of the service index.
 * @throws ExpectedError where the feed cannot be reached or does not have it.
 */
export async function findPackage(
  feed: string,
  name: string,
  version: string,
  options: DownloadOptions,
): Promise<NugetPackage> {
  const get = async <T>(url: string, schema: z.ZodType<T>): Promise<T> => {
    const parsed = schema.safeParse(await downloadJson(url, options));
    if (!parsed.success) throw new ExpectedError(`${url} is not what a NuGet feed answers`, { cause: parsed.error });
    return parsed.data;
  };
  const { resources } = await get(feed, indexSchema);
  const registrations = resources.find((one) => one["@type"].startsWith("RegistrationsBaseUrl"));
  if (!registrations) throw new ExpectedError(`${feed} names no registrations, as a NuGet feed does`);
  const base = registrations["@id"].replace(/\/*$/, "/");
  const leaf = await get(`${base}${name.toLowerCase()}/${version.toLowerCase()}.json`, leafSchema);
  const { packageHash, packageSize } = await get(leaf.catalogEntry, catalogSchema);
  return { url: leaf.packageContent, bytes: packageSize, sha512: packageHash };
}
