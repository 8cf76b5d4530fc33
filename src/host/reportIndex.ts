import * as z from "zod";

const schema = z.record(z.string(), z.string()).catch({});

/** The models with a report and their fingerprints, from a workspace's state, which another version may have written. */
export function parseReportIndex(value: unknown): Readonly<Record<string, string>> {
  return schema.parse(value);
}
