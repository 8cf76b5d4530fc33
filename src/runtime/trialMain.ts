import { trialRun } from "./trialRun";
import type { TrialReply, TrialRequest } from "./trialProtocol";

/** Entry of `dist/deviceTrial.js`: a process that runs one trial, and that a bad driver may take down. */

process.on("disconnect", () => process.exit(1));
// The sender is of this very build.
process.once("message", (request: TrialRequest) => {
  void trialRun(request).then((reply: TrialReply) => process.send?.(reply));
});
