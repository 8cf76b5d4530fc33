import type { ModelReport } from "../report";
import { runTrial } from "../runtime/deviceTrial";
import {
  executionProviders,
  type Device,
  type DeviceChoice,
  type ExecutionProvider,
} from "../runtime/executionProviders";
import { isForPlatform, NOT_INSTALLED, whyAbsent } from "../runtime/providersHere";
import { createSession, type TensorValue, type TensorValues } from "../runtime/session";
import { secondsOfRuns } from "../runtime/trialRun";
import type { TrialReply } from "../runtime/trialProtocol";
import { ExpectedError } from "../errors";
import type { Batches } from "../calibration/batches";

/** The device that runs an analysis, and why. */
export interface ChosenDevice extends Readonly<Omit<ModelReport["device"], "eigensolver">> {
  readonly used: Device;
}

/** How far a device's outputs may be from the processor's, relative to the largest of them. */
export const DEVICE_TOLERANCE = 1e-3;
const TIMED_RUNS = 3;
/** Seconds for loading, the first run, in which shaders are compiled, and the timed ones. */
export const PATIENCE = { auto: 30, named: 300 };

/** Where no model is run. */
export const noDevice = (requested: DeviceChoice): ChosenDevice => ({
  requested,
  used: "cpu",
  why: "no model was run",
  tried: [],
  onProcessor: [],
});

/**
 * The device for an analysis. `auto` is the first provider of the table that runs the model in a process of its own with the
 * processor's outputs, and no slower; one that is named must give the same outputs.
 * @throws ExpectedError if a provider that is named does not work here.
 */
export async function chooseDevice(
  requested: DeviceChoice,
  model: string,
  batches: Batches,
  signal: AbortSignal | undefined,
): Promise<ChosenDevice> {
  if (requested === "cpu") return { requested, used: "cpu", why: "as asked for", tried: [], onProcessor: [] };
  const auto = requested === "auto";
  const candidates = executionProviders.filter(
    (one) => one.name !== "cpu" && (auto ? isForPlatform(one) : one.name === requested),
  );
  // A speed is measured on as much as an analysis runs at a time.
  const feeds = (auto ? batches.batch(0) : batches.smallest()).values;
  const timedRuns = auto ? TIMED_RUNS : 0;
  const tried: { device: string; why: string }[] = [];
  let reference: Reference | null = null;
  for (const provider of candidates) {
    const { name } = provider;
    const absent = whyAbsent(provider);
    if (absent !== null) {
      tried.push({ device: name, why: absent });
      continue;
    }
    const expected = (reference ??= await runOnProcessor(model, feeds, timedRuns));
    const request = { model, device: name, feeds: [...feeds], timedRuns };
    const reply = await runTrial(request, { patience: auto ? PATIENCE.auto : PATIENCE.named, signal });
    const { works, why } = judge(reply, expected);
    if (!works) {
      tried.push({ device: name, why });
      continue;
    }
    const onProcessor = reply.kind === "ran" ? reply.onProcessor.map(([operator, nodes]) => ({ operator, nodes })) : [];
    return { requested, used: name, why, tried, onProcessor };
  }
  if (!auto) throw notWorking(candidates[0], tried[0].why);
  const why = tried.length === 0 ? "the only one for this platform" : "no other that works and is faster";
  return { requested, used: "cpu", why, tried, onProcessor: [] };
}

/** What the processor gives, and how fast. */
export interface Reference {
  readonly outputs: TensorValues;
  readonly seconds: readonly number[];
}

async function runOnProcessor(model: string, feeds: TensorValues, timedRuns: number): Promise<Reference> {
  const session = await createSession(model, model);
  try {
    return { outputs: await session.run(feeds), seconds: await secondsOfRuns(session, feeds, timedRuns) };
  } finally {
    await session.release();
  }
}

/** Whether a trial speaks for a device: the same outputs, and no more time where it was taken. */
export function judge(reply: TrialReply, reference: Reference): { works: boolean; why: string } {
  if (reply.kind === "failed") return { works: false, why: reply.message };
  const difference = largestDifference(new Map(reply.outputs), reference.outputs);
  // Also where it is NaN.
  if (!(difference <= DEVICE_TOLERANCE)) {
    const why = `its outputs are ${difference.toExponential(1)} from the processor's, relative to the largest (limit ${DEVICE_TOLERANCE})`;
    return { works: false, why };
  }
  const same = `outputs within ${difference.toExponential(1)} of the processor's`;
  if (reply.seconds.length === 0) return { works: true, why: `as asked for; ${same}` };
  // The best of each: what else the machine does only adds.
  const ratio = Math.min(...reference.seconds) / Math.min(...reply.seconds);
  return ratio >= 1
    ? { works: true, why: `${ratio.toFixed(1)} times as fast as the processor, ${same}` }
    : { works: false, why: `${(1 / ratio).toFixed(1)} times as slow as the processor` };
}

/** The largest difference in any output, relative to the largest value of that output. */
function largestDifference(outputs: TensorValues, expected: TensorValues): number {
  let largest = 0;
  for (const [name, value] of expected) {
    const found = outputs.get(name);
    if (!isFloat(value)) continue;
    if (!found || !isFloat(found)) return NaN;
    let scale = 0;
    let difference = 0;
    for (let i = 0; i < value.data.length; i++) {
      const one = value.data[i];
      if (Number.isFinite(one)) scale = Math.max(scale, Math.abs(one));
      // Math.max keeps a NaN.
      difference = Math.max(difference, Object.is(found.data[i], one) ? 0 : Math.abs(found.data[i] - one));
    }
    largest = Math.max(largest, scale === 0 ? difference : difference / scale);
  }
  return largest;
}

function isFloat(value: TensorValue): value is TensorValue & { data: Float32Array | Float64Array } {
  return value.data instanceof Float32Array || value.data instanceof Float64Array;
}

function notWorking({ name, title }: ExecutionProvider, why: string): ExpectedError {
  const install =
    why === NOT_INSTALLED
      ? ` Install it with: ranklens devices --install ${name} (in VS Code: Install GPU Support).`
      : "";
  return new ExpectedError(
    `${title} does not work here (--device ${name}): ${why}.${install} Use --device auto, or cpu (in VS Code: ranklens.device).`,
  );
}
