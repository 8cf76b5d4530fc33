export { darkPalette, lightPalette, type Palette } from "./palette";
export { rankSearch } from "./rankSearch";
export { snapshot } from "./snapshot";
export { spectra } from "./spectra";
