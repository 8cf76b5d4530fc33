import { resolve } from "node:path";
import { checkNotInput, checkTarget } from "../atomicFile";
import { configPathBeside } from "../config";
import { configText, writeConfig } from "../config/write";
import { ExpectedError, isExpected } from "../errors";
import { proposeConfig } from "../propose";
import type { Proposal } from "../propose/proposal";
import { printable } from "../text/names";
import { callWorker } from "./analysisProcess";
import { definitions } from "./reportText";

export interface InitFlags {
  config?: string;
  print?: boolean;
  force?: boolean;
}

/**
 * Proposes a config, tries it on a few samples, and writes it.
 * @param print shows a text to the user.
 * @throws ExpectedError if it does not work, or may not be written; nothing is written then.
 */
export async function init(
  model: string,
  data: readonly string[],
  { config, print: onlyShow = false, force = false }: InitFlags,
  print: (text: string) => void,
): Promise<void> {
  const target = config ?? configPathBeside(model);
  if (!onlyShow) {
    checkTarget(target, { force });
    const files = data.map((file) => ({ what: "a data file", path: file }));
    checkNotInput(target, [{ what: "the model", path: model }, ...files]);
  }
  const proposal = await proposeConfig({ model, data });
  let tried: Proposal;
  try {
    tried = await callWorker("tryProposal", { model, proposal });
  } catch (error) {
    if (!isExpected(error)) throw error;
    if (onlyShow) print(shown(proposal, configText(proposal.config, target)));
    const advice = onlyShow ? "correct it before you save it" : "nothing is written; --print shows it";
    throw new ExpectedError(`the proposed config does not work, ${advice}: ${error.message}`, { cause: error });
  }
  if (onlyShow) {
    print(shown(tried, configText(tried.config, target)));
    return;
  }
  writeConfig(tried.config, target, { force });
  const next = ["ranklens analyze", quoted(model), ...(isBeside(target, model) ? [] : ["--config", quoted(target)])];
  print(
    shown(
      tried,
      definitions([
        ["Written", target],
        ["Next", next.join(" ")],
      ]),
    ),
  );
}

function shown({ assumptions }: Proposal, rest: string): string {
  return `${definitions(assumptions.map(({ about, text }) => [about, printable(text)]))}\n\n${rest.trimEnd()}`;
}

/** Whether it is found without being named. */
function isBeside(target: string, model: string): boolean {
  return resolve(target) === resolve(configPathBeside(model));
}

/** For a shell, and for a name that looks like an option. */
function quoted(path: string): string {
  const name = path.startsWith("-") ? `./${path}` : path;
  return /^[\w@%+=:,./\\-]+$/.test(name) ? name : `"${name}"`;
}
