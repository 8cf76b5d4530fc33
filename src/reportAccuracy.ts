import * as z from "zod";
import { metricNames } from "./metricNames";

export const count = z.int().nonnegative();
/** A share between 0 and 1; ratios may pass 1. */
export const ratio = z.number().nonnegative();
export const measured = ratio.nullable();

const perplexities = z
  .strictObject({ original: measured, projected: measured, decomposed: measured })
  .meta({ description: "exp of the mean of −ln p of the next token" });

/** How well a model does in a report, by the metric that fits its output. */
export const accuracySchema = z
  .strictObject({
    metric: z
      .enum(metricNames)
      .nullable()
      .meta({
        description:
          "top-1: right answers by labels; agreement: with the original's own class; next-token: right next tokens; " +
          "position-agreement: with the original's own class at each token; output-error: ‖Y−Y′‖²/‖Y‖² of the output Y, " +
          "where less is better",
      }),
    output: z
      .strictObject({
        name: z.string(),
        shape: z.array(z.union([count, z.literal("N")])).meta({ description: "N: the samples" }),
        why: z.string().meta({ description: "Why it is measured by this metric" }),
      })
      .nullable()
      .exactOptional()
      .meta({ description: "The model output that is measured" }),
    samples: count.nullable(),
    answers: count.nullable().exactOptional().meta({
      description: "Answers that are right or wrong: samples, or positions of samples; null with output-error",
    }),
    original: measured.meta({ description: "Share of right answers; with output-error 0" }),
    projected: measured.meta({
      description: "All layers replaced by W′ at once. With output-error the error, null where it is no finite number",
    }),
    decomposed: measured.meta({
      description: "The layers that get smaller replaced by their two factors; likewise",
    }),
    perplexity: perplexities.nullable().exactOptional().meta({ description: "Of next-token; null elsewhere" }),
  })
  .meta({ description: "Of the metric that fits the model's output" });
