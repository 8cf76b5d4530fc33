/** What the user may ask for. `auto` takes the first provider of the table that works. */
export const deviceChoices = ["auto", "cpu"] as const;
export type DeviceChoice = (typeof deviceChoices)[number];

export interface ExecutionProvider {
  /** onnxruntime's name for it. */
  readonly name: string;
  readonly device: Exclude<DeviceChoice, "auto">;
}

/** In the order in which `auto` tries them. */
export const executionProviders: readonly ExecutionProvider[] = [{ name: "cpu", device: "cpu" }];

export interface ChosenDevice {
  readonly requested: DeviceChoice;
  readonly used: string;
  readonly why: string;
}

/** The provider that runs an analysis, with the reason that the report shows. */
export function chooseDevice(requested: DeviceChoice): ChosenDevice {
  const provider = executionProviders.find(({ device }) => requested === "auto" || requested === device);
  if (!provider) throw new RangeError(`no execution provider for the device ${requested}`);
  const why = requested === "auto" ? "the CPU provider is the only one that this version uses" : "as asked for";
  return { requested, used: provider.name, why };
}
