import type { Preprocess } from "../config";
import { isFloatType } from "../onnx/elements";
import type { ValueInfo } from "../onnx/schema";
import type { OwnNormalisation } from "./ownNormalisation";
import type { Values } from "./values";

/** A way of turning the data's values into the model's. */
export interface Normalisation {
  /** "ImageNet's mean and standard deviation". */
  readonly label: string;
  readonly settings: Pick<Preprocess, "channels" | "scale" | "mean" | "std">;
}

/** What the model's values could be, the likeliest first, and why that one. */
export interface Normalisations {
  readonly choices: readonly [Normalisation, ...Normalisation[]];
  readonly why: string;
}

const PER_BYTE = 1 / 255;

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const CIFAR = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
const MNIST = { mean: 0.1307, std: 0.3081 };
const CAFFE = { mean: [103.939, 116.779, 123.68] };
const CENTRED = { mean: 0.5, std: 0.5 };

/** Sides of images up to which a network may have been trained on CIFAR. */
const SMALL_SIDE = 64;

export interface Fed {
  readonly input: ValueInfo;
  readonly values: Values;
  readonly own: OwnNormalisation | null;
  /** Channels of the images; null where the samples are no images. */
  readonly channels: number | null;
  /** Image files, whose colours can be swapped. */
  readonly isImages: boolean;
}

/** The ways in which the values can be meant for the model. */
export function normalisations({ input, values, own, channels, isImages }: Fed): Normalisations {
  const isFloat = isFloatType(input.elementType);
  const asTheyAre: Normalisation = { label: "as they are", settings: {} };
  if (!isFloat) {
    return { choices: [asTheyAre], why: `the input "${input.name}" takes ${input.elementType ?? "no plain tensor"}` };
  }
  if (values.kind === "other") return { choices: [asTheyAre], why: values.seen };

  const isPixels = values.kind === "pixels";
  const bytes: Normalisation = isPixels
    ? { ...asTheyAre, label: "0 to 255, as they are" }
    : { label: "0 to 255", settings: { scale: 255 } };
  const scale = isPixels ? { scale: PER_BYTE } : {};
  const unit: Normalisation = {
    label: isPixels ? "0 to 1" : "0 to 1, as they are",
    settings: scale,
  };
  if (own !== null) {
    const first = own.takes === "unit" ? unit : own.takes === "pixels" ? bytes : asTheyAre;
    const rest = [unit, bytes].filter(({ label }) => label !== first.label && first !== asTheyAre);
    return { choices: [first, ...rest], why: `the model normalises its input itself (${own.node})` };
  }
  const centred: Normalisation = { label: "-1 to 1", settings: { ...scale, ...CENTRED } };
  if (channels === 3) {
    const imageNet: Normalisation = { label: "ImageNet's mean and std", settings: { ...scale, ...IMAGENET } };
    const sides = (input.shape ?? []).slice(1).filter((dim) => typeof dim === "number");
    const isSmall = sides.length > 0 && Math.max(...sides) <= SMALL_SIDE;
    const others = [
      centred,
      ...(isSmall ? [{ label: "CIFAR-10's mean and std", settings: { ...scale, ...CIFAR } }] : []),
      ...(isPixels ? [bytes] : []),
      ...(isPixels && isImages
        ? [{ label: "Caffe's means, BGR", settings: { channels: "BGR", ...CAFFE } } as const]
        : []),
    ];
    return isPixels
      ? { choices: [imageNet, unit, ...others], why: "the usual one for colour images" }
      : { choices: [unit, imageNet, ...others], why: values.seen };
  }
  const mnist: Normalisation = { label: "MNIST's mean and std", settings: { ...scale, ...MNIST } };
  const others = [centred, ...(channels === 1 ? [mnist] : []), ...(isPixels ? [bytes] : [])];
  return isPixels || channels !== null
    ? { choices: [unit, ...others], why: isPixels ? "the usual range" : values.seen }
    : { choices: [unit], why: values.seen };
}
