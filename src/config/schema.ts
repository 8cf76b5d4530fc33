import * as z from "zod";
import { allow, pathText } from "./keys";
import { metricChoices } from "../metricNames";
import { preprocessSchema } from "./preprocess";

/** The tolerance ε where neither the config file nor the user names one, in percentage points of accuracy. */
export const DEFAULT_TOLERANCE = 0.1;

/** Class numbers are 32-bit integers: no model has more outputs than that. */
const MAX_CLASS = 2 ** 31 - 1;

/** Seeds are 32-bit. */
const MAX_SEED = 2 ** 32 - 1;
const SEED = `a whole number from 0 to ${MAX_SEED}`;

const SOURCE = "a path: text that is not empty, or an object with such a path for each model input";
const CLASSES = 'a list of folder names such as ["cat", "dog"], or their class numbers such as {"cat": 3, "dog": 5}';

function classesSchema() {
  const name = z.string(allow("the name of a class folder")).min(1, allow("the name of a class folder"));
  const number = z
    .int(allow("a class number, counted from 0"))
    .min(0, allow("a class number, counted from 0"))
    .max(MAX_CLASS, allow(`a class number up to ${MAX_CLASS}`));
  return z.union([z.array(name).min(1, allow(CLASSES)), z.record(name, number, allow(CLASSES))], allow(CLASSES)).meta({
    title: "Class folders",
    description:
      "For a folder of images or recordings with one folder per class: the folder names in the order of the model's classes, or an object with the class number of each folder. Without it they are numbered alphabetically.",
  });
}

function dataSchema(title: string, description: string) {
  return z
    .strictObject(
      {
        source: z
          .union(
            [
              pathText("Source", "The file or folder with the samples."),
              z
                .record(z.string().min(1), pathText("Source", "The file or folder with the samples."), allow(SOURCE))
                .refine((paths) => Object.keys(paths).length > 0, allow(SOURCE)),
            ],
            allow(SOURCE),
          )
          .meta({
            title: "Source",
            description:
              'The samples: a .npy file, a .npz file ("images.npz#name" chooses an array), a folder of images (with one folder per class, or without), an MNIST idx file, a CIFAR binary file or folder, text for a tokenizer (.txt with a sample per line, or .jsonl; "data.jsonl#name" chooses a field), token ids (.json: a list of lists of integers), numbers (.csv; "data.csv#name" chooses a column), or sound (a .wav file, or a folder of them, with one folder per class or without). For a model with several inputs an object: {"input name": path, …}. A relative path starts at the folder of this config file.',
          }),
        labels: pathText(
          "Labels",
          'The file with one class number per sample, counted from 0 (.npy, .npz, idx, or a column or field: "data.csv#label", "data.jsonl#label"). A column of labels is not fed to the model. Without it the labels that come with the source (class folders, CIFAR files, the field "label" of .jsonl) are used. A relative path starts at the folder of this config file.',
        ).exactOptional(),
        classes: classesSchema().exactOptional(),
        limit: z
          .int(allow("a whole number of samples, 1 or more"))
          .positive(allow("a whole number of samples, 1 or more"))
          .meta({
            title: "Limit",
            description:
              "Use at most this many samples: always the same random choice, with equally many of each class where there are labels.",
          })
          .exactOptional(),
        seed: z
          .int(allow(SEED))
          .min(0, allow(SEED))
          .max(MAX_SEED, allow(SEED))
          .meta({
            title: "Seed",
            description: "Which random choice `limit` makes: another number gives other samples.",
            default: 0,
          })
          .exactOptional(),
      },
      allow('an object such as {"source": "images.npy"}'),
    )
    .meta({ title, description });
}

const CONSTANT = "a number, true or false, or nested lists of numbers";

/** The value of a model input that no source feeds. */
export type Constant = number | boolean | readonly Constant[];

/** Axes of such a value: more has no input that is worth writing down. */
const MAX_CONSTANT_AXES = 6;

/** Nested by hand: a schema that refers to itself would follow any depth, down to the end of the stack. */
const constant = Array.from({ length: MAX_CONSTANT_AXES }).reduce<z.ZodType<Constant>>(
  (inner) => z.union([inner, z.array(inner).min(1, allow(CONSTANT))], allow(CONSTANT)),
  z.union([z.number(allow(CONSTANT)), z.boolean(allow(CONSTANT))], allow(CONSTANT)),
);

const CONSTANTS = 'an object such as {"sr": 16000}';

const METRICS = `one of ${metricChoices.join(", ")}`;

/** Raised when an older RankLens would misread a newer config. */
export const CONFIG_VERSION = 1;

/** The config file: its types, its checks and its JSON Schema all come from here. */
export const configSchema = z
  .strictObject(
    {
      $schema: z
        .string(allow("the address of a JSON Schema, as text"))
        .meta({ title: "JSON Schema", description: "The JSON Schema that editors check this file with." })
        .exactOptional(),
      version: z
        .literal(CONFIG_VERSION, allow(String(CONFIG_VERSION)))
        .meta({
          title: "Version",
          description: "The version of this file's format. May be left out.",
          default: CONFIG_VERSION,
        })
        .exactOptional(),
      calibration: dataSchema(
        "Calibration data",
        "The samples on which RankLens measures how the layers are used. Without them only the weights are analysed.",
      ).exactOptional(),
      validation: dataSchema(
        "Validation data",
        "The samples, with labels where there are some, on which accuracy is measured. Keep them apart from the calibration data.",
      ).exactOptional(),
      preprocess: preprocessSchema.exactOptional(),
      inputs: z
        .record(z.string().min(1), constant, allow(CONSTANTS))
        .meta({
          title: "Values of other inputs",
          description:
            'Values of model inputs that no source feeds, such as {"sr": 16000}: a number (or true or false) fills the whole input; nested lists are the input of one sample. Inputs that are usual beside the data (an attention mask, token types, positions, a past or another state) need none.',
        })
        .exactOptional(),
      tolerance: z
        .number(allow("a number of percentage points from 0 to 100"))
        .min(0, allow("a number of percentage points from 0 to 100"))
        .max(100, allow("a number of percentage points from 0 to 100"))
        .meta({
          title: "Tolerance",
          description:
            "How much accuracy, in percentage points, each of the two projections of each layer may cost when tried alone; with the metric output-error, points of 100 of the relative error.",
          default: DEFAULT_TOLERANCE,
        })
        .exactOptional(),
      output: z
        .string(allow("the name of a model output"))
        .min(1, allow("the name of a model output"))
        .meta({
          title: "Model output",
          description:
            "The output of the model that accuracy is measured by. Without it: the only one of floating point, else the largest with one score per class, else the first.",
        })
        .exactOptional(),
      metric: z
        .enum(metricChoices, allow(METRICS))
        .meta({
          title: "Metric",
          description:
            "What is measured of the output: top-1 (the label has the highest score), agreement (with the original's own class), next-token (of a language model), position-agreement (at each token), output-error (the relative squared error of the output; the tolerance is then in points of 100 of it), or what fits.",
          default: "auto",
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
