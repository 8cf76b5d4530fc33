export type { DrawnLayer, DrawnReport } from "./drawn";
export { inputSubspace } from "./inputSubspace";
export { darkPalette, lightPalette, type Palette } from "./palette";
export { rankSearch } from "./rankSearch";
export { snapshot } from "./snapshot";
export { dataEnergy, spectra, weightEnergy } from "./spectra";
