import { expect, test } from "vitest";
import { benchEigen } from "../../bench/eigen";

/** At most this many times LAPACK's time (dsyevd on all cores, same matrices, same run). */
const MOST_TIMES_LAPACK = 5;

test("the eigensolver keeps up with LAPACK at n = 768", { timeout: 120_000 }, async (context) => {
  const lines: string[] = [];
  const [row] = await benchEigen({ sizes: [768], log: (line) => lines.push(line) });
  if (!row.lapack) {
    console.warn(`SKIPPED: ${lines.join(" ")}`);
    context.skip("Python with SciPy is not installed");
    return;
  }
  console.info(
    `n = 768: ${row.lapack.ratio.toFixed(2)} times LAPACK (median), ${row.lapack.bestRatio.toFixed(2)} (best)`,
  );
  expect(row.lapack.ratio).toBeLessThan(MOST_TIMES_LAPACK);
  expect(row.lapack.bestRatio).toBeLessThan(MOST_TIMES_LAPACK);
  expect(row.lapack.valueDifference).toBeLessThan(1e-14 * Math.sqrt(768));
});
