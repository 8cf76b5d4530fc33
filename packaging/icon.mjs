// `npm run icon`: draws media/icon.png, the picture of the extension in the Marketplace, from icon.svg.
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const folder = path.dirname(fileURLToPath(import.meta.url));
const SIZE = 256;

await sharp(path.join(folder, "icon.svg"))
  .resize(SIZE, SIZE)
  .png({ compressionLevel: 9 })
  .toFile(path.join(folder, "..", "media", "icon.png"));
