import { z } from "zod";

/** The environment variable that tells the extension host where to write its results. */
export const RESULTS_VARIABLE = "RANKLENS_TEST_RESULTS";

/** What the suites inside the extension host found out. */
export const testResultsSchema = z.array(
  z.object({
    /** The titles of the suites around it, then its own. */
    title: z.array(z.string()).min(1),
    state: z.enum(["passed", "failed", "pending"]),
    milliseconds: z.number(),
    /** Message and stack of a failure. */
    error: z.string().nullable(),
  }),
);

export type TestResults = z.infer<typeof testResultsSchema>;

/** Results as they were written; throws where there are none, or no test in them. */
export function parseTestResults(text: string): TestResults {
  const results = testResultsSchema.parse(JSON.parse(text));
  if (results.length === 0) throw new Error("No test ran inside the extension host.");
  return results;
}
