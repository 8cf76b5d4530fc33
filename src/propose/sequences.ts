import type { SourceDescription } from "../calibration/describe";
import { USUAL_RATE } from "../calibration/soundFeed";
import { roleOf } from "../calibration/inputRoles";
import type { ValueInfo } from "../onnx/schema";
import { counted } from "./phrases";
import type { ProposedPreprocess } from "./preprocess";

/** Samples of a window where the model does not tell: a second, or of a model that keeps a state between windows, 32 ms. */
const USUAL_WINDOW = USUAL_RATE;
const STREAMED_WINDOW = 512;

/** How text, token ids and sound become what an input takes; null for anything else. */
export function sequenceForm(
  { content }: SourceDescription,
  { name, shape }: ValueInfo,
  inputs: readonly ValueInfo[],
): ProposedPreprocess | null {
  const last = shape?.at(-1);
  const fixed = typeof last === "number" && (shape?.length ?? 0) > 1 ? last : null;
  if (content === "text" || content === "tokens") {
    const to =
      fixed === null
        ? "the longest sample is left whole, up to what the tokenizer says or 512 tokens"
        : `cut or filled up to ${counted(fixed, "token")}, as the input "${name}" takes`;
    const how = content === "text" ? "by the tokenizer.json beside the model or the text" : "as they are";
    const text = `${how}; ${to}; another length is set by maxLength under preprocess`;
    return { settings: {}, assumptions: [{ about: "tokens", text }], question: null };
  }
  if (content !== "sound") return null;
  const isStreamed = inputs.some((input) => roleOf(input) === "state");
  const usual = isStreamed ? STREAMED_WINDOW : USUAL_WINDOW;
  const samples = fixed ?? usual;
  const length = isStreamed ? "32 ms, as is usual for a model that keeps a state" : "a second";
  const why =
    fixed === null
      ? `${length}: assumed, since the input "${name}" takes any length; another is set by samples under preprocess`
      : `as the input "${name}" takes`;
  return {
    settings: { sampleRate: USUAL_RATE, ...(fixed === null ? { samples } : {}) },
    assumptions: [
      {
        about: "sound",
        text: `resampled to ${USUAL_RATE} Hz, the usual rate of speech models; another is set by sampleRate under preprocess`,
      },
      {
        about: "windows",
        text: `${samples} samples, ${why}`,
      },
    ],
    question: null,
  };
}
