/** 268336 → "268,336". */
export function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

const UNITS = ["", " k", " M", " G", " T"];

/** 40551040 → "40.6 M". */
export function short(value: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? String(value) : `${scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)}${UNITS[unit]}`;
}

const BYTE_UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** 1610612736 → "1.5 GB", with 1024 bytes to a KB, as operating systems count memory. */
export function byteSize(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 1024 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i;

/** "1.5GB", "512 MiB" or a number of bytes → bytes; null if it is no size. The inverse of {@link byteSize}. */
export function parseByteSize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  if (!match) return null;
  const [, number, unit] = match;
  return Math.floor(Number(number) * 1024 ** (unit === "" ? 0 : 1 + "kmgt".indexOf(unit.toLowerCase())));
}

/** 0.6520 → "65.2%"; null → "–". */
export function percent(share: number | null, digits = 1): string {
  return share === null ? "–" : `${(100 * share).toFixed(digits)}%`;
}

/** Errors reach over many orders: three digits below 100%, whole per cent above. */
export function errorText(error: number | null): string {
  if (error === null) return "–";
  const value = 100 * error;
  if (value >= 100) return `${thousands(Math.round(value))}%`;
  return value >= 0.01 || value === 0 ? `${value.toPrecision(2)}%` : `${value.toExponential(0)}%`;
}

/** −0.2195 → "−21.95": a difference of shares in points. */
export function signedPoints(difference: number): string {
  const shown = Math.abs(100 * difference).toFixed(2);
  return `${Number(shown) === 0 ? "±" : difference < 0 ? "−" : "+"}${shown}`;
}

/** 95 → "1:35"; hours where there are some. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** 95 → "1 min 35 s". */
export function elapsed(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (seconds >= 10) return `${seconds.toFixed(0)} s`;
  return seconds >= 0.1 ? `${seconds.toFixed(1)} s` : `${(1000 * seconds).toFixed(0)} ms`;
}
