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

/** Sides of images in pixels: larger ones are no model's input, and would only exhaust memory. */
const MAX_SIDE = 16384;

const SIDE = `a whole number of pixels from 1 to ${MAX_SIDE}`;
const SIDES = `${SIDE}, or [height, width]`;

/** One number, or height and width. */
function sides(title: string, description: string) {
  const side = z.int(allow(SIDE)).min(1, allow(SIDE)).max(MAX_SIDE, allow(SIDE));
  return z.union([side, z.tuple([side, side], allow(SIDES))], allow(SIDES)).meta({ title, description });
}

/** Class numbers are 32-bit integers: no model has more outputs than that. */
const MAX_CLASS = 2 ** 31 - 1;

/** Preprocessing is done in float32, so a setting must have a float32 value (1e39 has none; 1e-50 rounds to 0). */
function float32(allowed: string) {
  return z.number(allow(allowed)).refine((value) => Number.isFinite(Math.fround(value)), allow(allowed));
}

/** One number for all channels, or a list of numbers, one per channel. */
function perChannel(number: z.ZodType<number>, allowed: string, meta: z.GlobalMeta) {
  return z.union([number, z.array(number).min(1, allow(allowed))], allow(allowed)).meta(meta);
}

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
      "For a folder of images with one folder per class: the folder names in the order of the model's classes, or an object with the class number of each folder. Without it they are numbered alphabetically.",
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

const MEAN = "a number within float32 range, or a list of such numbers, one per channel";
const STD = "a number within float32 range other than 0, or a list of such numbers, one per channel";

/** Tokens of a sample: far beyond any model's context that is analysed on one machine. */
const MAX_TOKENS = 2 ** 20;
const TOKENS = `a whole number of tokens from 1 to ${MAX_TOKENS}`;
/** Sampling rates of recordings, in Hz. */
const MAX_RATE = 768_000;
const MIN_RATE = 1000;
const RATE = `a whole number of samples per second from ${MIN_RATE} to ${MAX_RATE}`;
/** Samples of a window: an hour at 48 kHz. */
const MAX_WINDOW = 3600 * 48_000;
const WINDOW = `a whole number of samples from 1 to ${MAX_WINDOW}`;

const preprocessSchema = z
  .strictObject(
    {
      input: z
        .string(allow("the name of a model input"))
        .min(1, allow("the name of a model input"))
        .meta({
          title: "Model input",
          description:
            "The model input that is preprocessed. Needed only where the model has several floating-point inputs.",
        })
        .exactOptional(),
      layout: z
        .enum(["NHWC", "NCHW"], allow('"NHWC" or "NCHW"'))
        .meta({
          title: "Layout of the source",
          description:
            "The order of the axes in an array of images: NHWC (sample, height, width, channel) or NCHW (sample, channel, height, width). RankLens reorders them where the model wants the other one. Image files, MNIST and CIFAR files need no layout.",
        })
        .exactOptional(),
      resize: sides(
        "Resize image files",
        "Resizes every image first, bilinear as in Pillow and torchvision: one number for the shorter side, or [height, width].",
      ).exactOptional(),
      crop: sides(
        "Crop image files",
        "Takes the centre of every image, after resizing: one number for a square, or [height, width].",
      ).exactOptional(),
      channels: z
        .enum(["RGB", "BGR"], allow('"RGB" or "BGR"'))
        .meta({
          title: "Order of the colours",
          description: "The order in which the model takes the colours of image files; mean and std follow it.",
          default: "RGB",
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
      tokenizer: pathText(
        "Tokenizer",
        "The tokenizer.json that turns text into token ids, or its folder. Without it one beside the model or beside the text is used. A relative path starts at the folder of this config file.",
      ).exactOptional(),
      maxLength: z
        .int(allow(TOKENS))
        .min(1, allow(TOKENS))
        .max(MAX_TOKENS, allow(TOKENS))
        .meta({
          title: "Longest sequence",
          description:
            "Longer texts and lists of token ids are cut to this many tokens. Without it: what the model's input takes, or the tokenizer says, or 512.",
        })
        .exactOptional(),
      sampleRate: z
        .int(allow(RATE))
        .min(MIN_RATE, allow(RATE))
        .max(MAX_RATE, allow(RATE))
        .meta({
          title: "Sampling rate",
          description: "Sound is resampled to this many samples per second.",
          default: 16000,
        })
        .exactOptional(),
      samples: z
        .int(allow(WINDOW))
        .min(1, allow(WINDOW))
        .max(MAX_WINDOW, allow(WINDOW))
        .meta({
          title: "Samples of a window",
          description:
            "Sound is cut into windows of this many samples, at the sampling rate above. Without it: what the model's input takes, or whole files.",
        })
        .exactOptional(),
    },
    allow('an object such as {"layout": "NHWC"}'),
  )
  .meta({
    title: "Preprocessing",
    description:
      "How samples become the model's input: (value × scale − mean) / std, in the layout that the model wants.",
  });

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
        "The labelled samples on which accuracy is measured. Keep them apart from the calibration data.",
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
