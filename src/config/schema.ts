import * as z from "zod";

/** The tolerance ε where neither the config file nor the user names one, in percentage points of accuracy. */
export const DEFAULT_TOLERANCE = 0.1;

/**
 * The text that problem messages show for a key: what it allows. It takes the place of zod's own wording, and follows
 * the value found: `tolerance: "high" is not …`.
 */
function allow(error: string): { error: string } {
  return { error };
}

function pathText(title: string, description: string) {
  const allowed = allow("a path: text that is not empty");
  // A zero byte ends a path for the operating system, so that no file can have one in its name.
  return z
    .string(allowed)
    .min(1, allowed)
    .regex(/^[^\0]*$/, allowed)
    .meta({ title, description });
}

/** Preprocessing is done in float32, so a setting must have a float32 value (1e39 has none; 1e-50 rounds to 0). */
function float32(allowed: string) {
  return z.number(allow(allowed)).refine((value) => Number.isFinite(Math.fround(value)), allow(allowed));
}

/** One number for all channels, or a list of numbers, one per channel. */
function perChannel(number: z.ZodType<number>, allowed: string, meta: z.GlobalMeta) {
  return z.union([number, z.array(number).min(1, allow(allowed))], allow(allowed)).meta(meta);
}

function dataSchema(title: string, description: string) {
  return z
    .strictObject(
      {
        source: pathText(
          "Source",
          "The file with the samples. A relative path starts at the folder of this config file.",
        ),
        labels: pathText(
          "Labels",
          "The file with one class number per sample, counted from 0. A relative path starts at the folder of this config file.",
        ).exactOptional(),
        limit: z
          .int(allow("a whole number of samples, 1 or more"))
          .positive(allow("a whole number of samples, 1 or more"))
          .meta({
            title: "Limit",
            description:
              "Use at most this many samples: always the same random choice, with equally many of each class where there are labels.",
          })
          .exactOptional(),
      },
      allow('an object such as {"source": "images.npy"}'),
    )
    .meta({ title, description });
}

const MEAN = "a number within float32 range, or a list of such numbers, one per channel";
const STD = "a number within float32 range other than 0, or a list of such numbers, one per channel";

const preprocessSchema = z
  .strictObject(
    {
      input: z
        .string(allow("the name of a model input"))
        .min(1, allow("the name of a model input"))
        .meta({
          title: "Model input",
          description: "The model input that takes the samples. Needed only where the model has several inputs.",
        })
        .exactOptional(),
      layout: z
        .enum(["NHWC", "NCHW"], allow('"NHWC" or "NCHW"'))
        .meta({
          title: "Layout of the source",
          description:
            "The order of the axes in the source file: NHWC (sample, height, width, channel) or NCHW (sample, channel, height, width). RankLens reorders them where the model wants the other one.",
        })
        .exactOptional(),
      scale: float32("a number within float32 range")
        .meta({
          title: "Scale",
          description:
            "Every value is multiplied by this number first. For pixels from 0 to 255, 0.00392156862745098 (1/255) gives 0 to 1.",
          default: 1,
        })
        .exactOptional(),
      mean: perChannel(float32(MEAN), MEAN, {
        title: "Mean",
        description: "Subtracted after scaling: one number, or a list with one number per channel.",
        default: 0,
      }).exactOptional(),
      std: perChannel(
        float32(STD)
          .refine((value) => Math.fround(value) !== 0, allow(STD))
          .meta({ not: { const: 0 } }),
        STD,
        {
          title: "Standard deviation",
          description:
            "Divides after subtracting the mean: one number other than 0, or a list with one number per channel.",
          default: 1,
        },
      ).exactOptional(),
    },
    allow('an object such as {"layout": "NHWC"}'),
  )
  .meta({
    title: "Preprocessing",
    description:
      "How samples become the model's input: (value × scale − mean) / std, in the layout that the model wants.",
  });

/** The config file: its types, its checks and its JSON Schema all come from here. */
export const configSchema = z
  .strictObject(
    {
      $schema: z
        .string(allow("the address of a JSON Schema, as text"))
        .meta({ title: "JSON Schema", description: "The JSON Schema that editors check this file with." })
        .exactOptional(),
      calibration: dataSchema(
        "Calibration data",
        "The samples on which RankLens measures how the layers are used. Without them only the weights are analysed.",
      ).exactOptional(),
      validation: dataSchema(
        "Validation data",
        "The labelled samples on which accuracy is measured. Keep them apart from the calibration data.",
      ).exactOptional(),
      preprocess: preprocessSchema.exactOptional(),
      tolerance: z
        .number(allow("a number of percentage points from 0 to 100"))
        .min(0, allow("a number of percentage points from 0 to 100"))
        .max(100, allow("a number of percentage points from 0 to 100"))
        .meta({
          title: "Tolerance",
          description:
            "How much accuracy, in percentage points, each of the two projections of each layer may cost when tried alone.",
          default: DEFAULT_TOLERANCE,
        })
        .exactOptional(),
    },
    allow('an object such as {"calibration": {"source": "images.npy"}}'),
  )
  .meta({
    title: "RankLens config",
    description: "Data and settings of the RankLens analysis of the model beside this file.",
  });

/** The content of a config file: paths as written there. */
export type Config = z.infer<typeof configSchema>;

/** The samples of `calibration` or `validation`, and how many of them to use. */
export type DataConfig = z.infer<ReturnType<typeof dataSchema>>;

/** How samples become model input. */
export type Preprocess = z.infer<typeof preprocessSchema>;

/** JSON Schema (draft-07, the newest that VS Code fully supports) of the config file. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(configSchema, { target: "draft-7" }) };
}
