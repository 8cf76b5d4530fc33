import { describe } from "vitest";
import { provisionWorkbench } from "./provision";
import { useOfAFailure } from "./uses/failure";
import { useOfAModel } from "./uses/model";
import { useOfAReferenceNetwork } from "./uses/reference";
import { useOfColours } from "./uses/colours";
import { useOfFirstSteps } from "./uses/firstSteps";
import { useOfNewData } from "./uses/data";
import { useWorkbench } from "./useWorkbench";

const programs = await provisionWorkbench();

// One window for all, in this order: what one has left is what the next one finds.
describe.skipIf(programs === null)("a user of the packaged extension", () => {
  const opened = useWorkbench(programs);
  useOfAModel(opened);
  useOfColours(opened);
  useOfNewData(opened);
  useOfAFailure(opened);
  useOfAReferenceNetwork(opened);
  useOfFirstSteps(opened);
});
