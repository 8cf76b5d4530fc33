import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  cropCentre,
  resizeShorter,
  resizeTo,
  swapRedAndBlue,
  toGrey,
  toRgb,
  type Pixels,
} from "../../src/calibration/pixels";

function patterned(height: number, width: number): Pixels {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = (x * x * 7 + y * 13 + c * 101 + x * y) % 256;
    }
  }
  return { width, height, channels: 3, data };
}

const hash = ({ data }: Pixels) => createHash("sha256").update(data).digest("hex").slice(0, 16);
const size = ({ height, width }: Pixels) => [height, width];

describe("resizing", () => {
  // From Pillow 12.3: np.asarray(Image.fromarray(patterned).resize((width, height), Image.BILINEAR)).
  test.each([
    [31, 47, 20, 30, "10829b66986f12fb"],
    [31, 47, 64, 97, "586bd7034f919945"],
    [5, 3, 5, 9, "8f852e9fce8634dd"],
    [100, 40, 7, 3, "16f17a1412507b6a"],
    [8, 8, 224, 224, "a0c809ccfa8362bd"],
    [375, 500, 256, 341, "9d17d2b96b5683be"],
  ])("%i×%i to %i×%i gives Pillow's bytes", (height, width, toHeight, toWidth, expected) => {
    expect(hash(resizeTo(patterned(height, width), toHeight, toWidth))).toBe(expected);
  });

  test("the shorter side, the longer one rounded down as in torchvision", () => {
    expect(size(resizeShorter(patterned(375, 500), 256))).toEqual([256, 341]);
    expect(size(resizeShorter(patterned(500, 375), 256))).toEqual([341, 256]);
    expect(size(resizeShorter(patterned(7, 7), 3))).toEqual([3, 3]);
    expect(resizeShorter(patterned(8, 9), 8)).toEqual(patterned(8, 9));
  });

  test("property: an even image stays even, and no value leaves the range of the image", () => {
    const side = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), (height, width, toHeight, toWidth, value) => {
        const even = { height, width, channels: 1, data: new Uint8Array(height * width).fill(value) };
        expect(new Set(resizeTo(even, toHeight, toWidth).data)).toEqual(new Set([value]));
        const image = patterned(height, width);
        const resized = resizeTo(image, toHeight, toWidth);
        expect(resized.data.length).toBe(toHeight * toWidth * 3);
        expect(Math.max(...resized.data)).toBeLessThanOrEqual(Math.max(...image.data));
        expect(Math.min(...resized.data)).toBeGreaterThanOrEqual(Math.min(...image.data));
      }),
    );
  });
});

test("the centre, with halves rounded to even", () => {
  const rows = { height: 4, width: 1, channels: 1, data: Uint8Array.of(0, 1, 2, 3) };
  expect([...cropCentre(rows, 2, 1).data]).toEqual([1, 2]);
  expect([...cropCentre(rows, 3, 1).data]).toEqual([0, 1, 2]);
  expect([...cropCentre(rows, 1, 1).data]).toEqual([2]);
  expect(cropCentre(patterned(5, 6), 5, 6)).toEqual(patterned(5, 6));
  const middle = cropCentre(patterned(5, 7), 3, 3);
  expect([...middle.data.slice(0, 3)]).toEqual([...patterned(5, 7).data.slice((7 + 2) * 3, (7 + 3) * 3)]);
});

test("colours", () => {
  // From Pillow 12.3: convert("L").
  expect(hash(toGrey(patterned(31, 47)))).toBe("6565e69ae3227a33");
  const grey = { height: 1, width: 2, channels: 1, data: Uint8Array.of(5, 200) };
  expect([...toRgb(grey).data]).toEqual([5, 5, 5, 200, 200, 200]);
  expect(toGrey(toRgb(grey))).toEqual(grey);
  const image = patterned(2, 3);
  expect(toRgb(image)).toEqual(image);
  expect([...swapRedAndBlue(image).data.slice(3, 6)]).toEqual([...image.data.slice(3, 6)].reverse());
  expect(swapRedAndBlue(swapRedAndBlue(image))).toEqual(image);
});
