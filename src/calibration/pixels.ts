/** A decoded image: height·width·channels bytes, row by row, channels last. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Weights are whole multiples of 2^-22, as in Pillow: 8 bits for the pixel and 2 spare ones fit beside them in 32. */
const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);

/** For each output pixel of one axis: where its inputs begin, how many there are, and their weights. */
interface Filter {
  readonly first: Int32Array;
  readonly length: Int32Array;
  /** `longest` weights per output pixel. */
  readonly weights: Int32Array;
  readonly longest: number;
}

/**
 * Bilinear resize as Pillow does it, bit by bit (also inside torchvision): a triangle filter that is widened where the
 * image gets smaller, rounded to bytes after the horizontal and after the vertical pass.
 */
export function resizeTo(image: Pixels, height: number, width: number): Pixels {
  const wide = image.width === width ? image : resizeRows(image, width);
  return wide.height === height ? wide : transpose(resizeRows(transpose(wide), height));
}

/** Resizes the shorter side to `side`; the longer one follows, rounded down as in torchvision. */
export function resizeShorter(image: Pixels, side: number): Pixels {
  const { width, height } = image;
  if (width <= height) return resizeTo(image, Math.floor((side * height) / width), side);
  return resizeTo(image, side, Math.floor((side * width) / height));
}

/** The part in the centre; `height` and `width` are at most the image's. Halves round to even, as in Python. */
export function cropCentre({ width, height, channels, data }: Pixels, rows: number, columns: number): Pixels {
  const top = roundHalfToEven((height - rows) / 2);
  const left = roundHalfToEven((width - columns) / 2);
  const result = new Uint8Array(rows * columns * channels);
  for (let row = 0; row < rows; row++) {
    const from = ((top + row) * width + left) * channels;
    result.set(data.subarray(from, from + columns * channels), row * columns * channels);
  }
  return { width: columns, height: rows, channels, data: result };
}

/** RGB → luminance by ITU-R 601 in 16-bit fixed point, as Pillow's "L". One channel stays as it is. */
export function toGrey({ width, height, channels, data }: Pixels): Pixels {
  if (channels === 1) return { width, height, channels, data };
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const at = i * channels;
    grey[i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: grey };
}

/** One channel → three equal ones. Three stay as they are. */
export function toRgb({ width, height, channels, data }: Pixels): Pixels {
  if (channels === 3) return { width, height, channels, data };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.fill(data[i * channels], i * 3, i * 3 + 3);
  return { width, height, channels: 3, data: rgb };
}

/** RGB ↔ BGR. */
export function swapRedAndBlue(image: Pixels): Pixels {
  const data = image.data.slice();
  for (let i = 0; i < data.length; i += 3) [data[i], data[i + 2]] = [data[i + 2], data[i]];
  return { ...image, data };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

function triangleFilter(size: number, wanted: number): Filter {
  const scale = size / wanted;
  const support = Math.max(scale, 1);
  const longest = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(wanted);
  const length = new Int32Array(wanted);
  const weights = new Int32Array(wanted * longest);
  for (let i = 0; i < wanted; i++) {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - support + 0.5));
    const to = Math.min(size, Math.trunc(centre + support + 0.5));
    const own: number[] = [];
    for (let x = from; x < to; x++) own.push(Math.max(0, 1 - Math.abs((x - centre + 0.5) / support)));
    const sum = own.reduce((total, weight) => total + weight, 0);
    own.forEach((weight, x) => (weights[i * longest + x] = Math.trunc(0.5 + (weight / sum) * (1 << WEIGHT_BITS))));
    first[i] = from;
    length[i] = to - from;
  }
  return { first, length, weights, longest };
}

function resizeRows({ width, height, channels, data }: Pixels, wanted: number): Pixels {
  const { first, length, weights, longest } = triangleFilter(width, wanted);
  const result = new Uint8Array(height * wanted * channels);
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < wanted; i++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = HALF;
        let at = (row * width + first[i]) * channels + channel;
        for (let x = 0; x < length[i]; x++, at += channels) sum += data[at] * weights[i * longest + x];
        result[(row * wanted + i) * channels + channel] = Math.min(255, sum >> WEIGHT_BITS);
      }
    }
  }
  return { width: wanted, height, channels, data: result };
}

function transpose({ width, height, channels, data }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * channels;
      const to = (column * height + row) * channels;
      for (let channel = 0; channel < channels; channel++) result[to + channel] = data[from + channel];
    }
  }
  return { width: height, height: width, channels, data: result };
}
