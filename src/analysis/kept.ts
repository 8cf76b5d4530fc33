import * as z from "zod";
import { splitMember } from "../calibration/member";
import { ContentCache, type CacheKey } from "../cache/contentCache";
import { gramKey, type Layer } from "../layers/layer";
import type { Matrix } from "../numerics/matrix";
import type { ReportSettings } from "../report";
import type { GramMatrices } from "../runtime/gramGraph";
import { bytesOf, floats } from "./floats";
import type { FoundRanks } from "./layerReport";
import type { SubjectData } from "./prepare";

/** Behind the matrices of an entry: what they are, how many rows each has, and whether halves of them follow. */
const TRAILER = 3;
const GRAM = 0;
const ROWS = 1;

/** Raised whenever the same content gives other numbers: entries of other versions are not read. */
const VERSION = 5;

/** What is kept of an analysis, for the next one: by the content that it was computed from. */
export class KeptResults {
  /** Layers whose Gram matrices, and whose ranks, were taken from the cache so far. */
  readonly recalled = { calibrated: 0, searched: 0 };

  private constructor(
    private readonly cache: ContentCache,
    /** What Gram matrices depend on, beside the layer. */
    private readonly calibrated: CacheKey,
    /** What a search depends on, beside the layer. */
    private readonly searched: CacheKey,
    /** Whether the model's files are what they were when they were hashed. */
    private readonly unchanged: () => boolean,
  ) {}

  /**
   * @param folder where they are; undefined for nowhere.
   * @param settings those of the report: with the hashes of the data, and all that decides what is computed.
   */
  static open(
    folder: string | undefined,
    sha256: string,
    { calibrationBatches, device }: SubjectData,
    settings: ReportSettings,
    eigensolver: string | null,
    unchanged: () => boolean,
  ): KeptResults | null {
    if (folder === undefined) return null;
    const { calibration, validation, preprocess, tolerance, output, metric, search, baseline, batchSize } = settings;
    const calibrated = {
      version: VERSION,
      model: sha256,
      calibration: withoutPaths(calibration),
      preprocess,
      // Sums are rounded batch by batch.
      batch: calibrationBatches.size,
      device: device.used,
    };
    const searched = {
      ...calibrated,
      validation: withoutPaths(validation),
      tolerance,
      output: output ?? null,
      metric: metric ?? "auto",
      search,
      baseline,
      batchSize,
      eigensolver,
    };
    return new KeptResults(new ContentCache(folder), calibrated, searched, unchanged);
  }

  grams(layer: Layer): GramMatrices | null {
    const { groups, columns } = layer.view;
    const all = floats(this.cache.get("gram", this.gramKeyOf(layer)), TRAILER);
    if (!all) return null;
    const [kind, rows, halves] = all.subarray(all.length - TRAILER);
    const size = rows * columns;
    if (all.length !== (1 + halves) * groups * size + TRAILER || (kind === GRAM && rows !== columns)) return null;
    const matrix = (at: number): Matrix => ({ rows, columns, data: all.subarray(at * size, (at + 1) * size) });
    return Array.from({ length: groups }, (_, group) => ({
      kind: kind === GRAM ? "gram" : "rows",
      matrix: matrix(group),
      ...(halves === 1 ? { half: matrix(groups + group) } : {}),
    }));
  }

  keepGrams(layer: Layer, grams: GramMatrices): void {
    if (!this.unchanged()) return;
    const [{ kind, matrix }] = grams;
    const halves = grams.flatMap(({ half }) => (half ? [half.data] : []));
    const trailer = Float64Array.of(kind === "gram" ? GRAM : ROWS, matrix.rows, halves.length > 0 ? 1 : 0);
    const wholes = grams.map((one) => one.matrix.data);
    this.cache.put("gram", this.gramKeyOf(layer), bytesOf([...wholes, ...halves, trailer]));
  }

  ranks(layer: Layer): FoundRanks | null {
    const bytes = this.cache.get("ranks", this.ranksKeyOf(layer));
    if (!bytes) return null;
    const parsed = foundRanks.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    if (!parsed.success) return null;
    this.recalled.searched++;
    return parsed.data;
  }

  keepRanks(layer: Layer, ranks: FoundRanks): void {
    if (!this.unchanged()) return;
    this.cache.put("ranks", this.ranksKeyOf(layer), Buffer.from(JSON.stringify(ranks)));
  }

  private gramKeyOf(layer: Layer): CacheKey {
    return { ...this.calibrated, layer: gramKey(layer) };
  }

  private ranksKeyOf(layer: Layer): CacheKey {
    return { ...this.searched, layer: layer.name };
  }
}

const evaluation = z.object({
  k: z.int(),
  result: z.number().nullable(),
  passed: z.boolean(),
  estimate: z.number().exactOptional(),
  bounds: z.tuple([z.int(), z.int()]).exactOptional(),
});

const foundRanks: z.ZodType<FoundRanks> = z.object({
  kS: z.int().positive(),
  kT: z.int().positive(),
  search: z.object({
    S: z.array(evaluation),
    T: z.array(evaluation),
    needed: z.object({ S: z.int(), T: z.int() }).nullable(),
  }),
});

/** The same data may lie elsewhere: it is known by its hashes, and in an archive by the names of its arrays. */
function withoutPaths(data: ReportSettings["calibration"]): unknown {
  if (!data) return null;
  const { source, labels, ...rest } = data;
  const sources = typeof source === "string" ? [["", source]] : Object.entries(source);
  const members = sources.map(([input, file]) => [input, splitMember(file).member]);
  return { ...rest, members, labels: labels === undefined ? null : splitMember(labels).member };
}
