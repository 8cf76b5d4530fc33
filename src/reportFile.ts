import path from "node:path";
import { writeFileAtomically } from "./atomicFile";
import { mapSource } from "./config";
import { ExpectedError } from "./errors";
import { readTextFile } from "./inputFile";
import { modelReportSchema, REPORT_SCHEMA_VERSION, type ModelReport } from "./report";

/** A report of thousands of layers with their spectra is some 100 MB; anything longer is another file. */
const MOST_REPORT_BYTES = 1024 ** 3;

/** Writes the report as JSON, all or nothing; paths in it become relative to its folder. */
export function writeReport(report: ModelReport, target: string, options: { force: boolean }): void {
  const folder = path.dirname(path.resolve(target));
  // A path on another Windows drive has no relative form and stays absolute.
  const relative = withPaths(report, (file) => path.relative(folder, file).split(path.sep).join("/"));
  writeFileAtomically(target, [Buffer.from(`${JSON.stringify(relative, null, 1)}\n`)], options);
}

/** Reads a report; paths in it become absolute. @throws ExpectedError if there is none, or it is not a report. */
export function readReport(file: string): ModelReport {
  const folder = path.dirname(path.resolve(file));
  const value = parse(file, readTextFile(file, "a report", MOST_REPORT_BYTES, "analyze writes one with --report"));
  const version = typeof value === "object" && value !== null && "schemaVersion" in value ? value.schemaVersion : null;
  if (typeof version === "number" && version > REPORT_SCHEMA_VERSION) {
    throw new ExpectedError(
      `${file} is a report of version ${version}; this RankLens reads up to ${REPORT_SCHEMA_VERSION}. Update RankLens.`,
    );
  }
  const result = modelReportSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ExpectedError(
      `${file} is not a RankLens report: ${issue.path.join(".") || "content"}: ${issue.message}.`,
    );
  }
  return withPaths(result.data, (name) => path.resolve(folder, name));
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ExpectedError(`${file} is not a RankLens report: it is not valid JSON.`, { cause: error });
  }
}

function withPaths(report: ModelReport, change: (file: string) => string): ModelReport {
  const data = (settings: ModelReport["settings"]["calibration"]): ModelReport["settings"]["calibration"] =>
    settings && {
      ...settings,
      source: mapSource(settings.source, change),
      ...(settings.labels === undefined ? {} : { labels: change(settings.labels) }),
    };
  return {
    ...report,
    model: { ...report.model, path: change(report.model.path) },
    settings: {
      ...report.settings,
      preprocess: withTokenizer(report.settings.preprocess, change),
      calibration: data(report.settings.calibration),
      validation: data(report.settings.validation),
    },
    compressed: report.compressed && { ...report.compressed, path: change(report.compressed.path) },
  };
}

/** A path among the settings, of which a report knows nothing else. */
function withTokenizer(
  preprocess: ModelReport["settings"]["preprocess"],
  change: (file: string) => string,
): ModelReport["settings"]["preprocess"] {
  const { tokenizer } = preprocess;
  return typeof tokenizer === "string" ? { ...preprocess, tokenizer: change(tokenizer) } : preprocess;
}
