import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { AgentRun } from "../agent-run.ts";
import type { LedgerEntry } from "../ledger.ts";
import { asText } from "../prompt.ts";
import { readAnswer } from "../structured.ts";
import { valueAt } from "../value-at.ts";
import { withinTime } from "../within-time.ts";
import { type Finder, find, isFinder } from "./find.ts";
import type { GuardAnswer } from "./in-code.ts";
import { judge } from "./judge.ts";
import { projectGuard } from "./project-guards.ts";
import type { Guard } from "./schema.ts";

/** The result of one check. `reason` quotes nothing of the value, so anybody may read it. `advice` is for the model only. */
export interface Verdict {
  ok: boolean;
  reason: string;
  advice?: string;
  ledger?: LedgerEntry[];
  /** The value that replaces the checked one. Only guard functions set this field. */
  value?: unknown;
}

const verdict = (ok: boolean, reason: string, advice?: string): Verdict => ({ ok, reason, ...(advice !== undefined && { advice }) });

/** Checks a value with one guard. */
export async function check(guard: Guard, value: unknown, run: AgentRun, config: LangGraphRunnableConfig): Promise<Verdict> {
  const text = asText(value) ?? "";
  if (isFinder(guard)) return verdict((await find(guard as Finder, text)).length === 0, forbidden[(guard as Finder).kind]);
  switch (guard.kind) {
    case "regex":
      return verdict(
        withinTime(() => new RegExp(guard.require ?? "").test(text)),
        "It does not match the required pattern.",
      );
    case "maxWords":
      return verdict(wordsIn(text) <= guard.words, `It has ${wordsIn(text)} words, and ${guard.words} are the most.`);
    case "minWords":
      return verdict(wordsIn(text) >= guard.words, `It has ${wordsIn(text)} words, and ${guard.words} are the fewest.`);
    case "schema": {
      const read = readAnswer(text, { name: "guard", schema: z.fromJSONSchema(guard.schema as never) });
      return "problem" in read ? verdict(false, "It does not fit the schema of the guard.", read.problem) : verdict(true, "");
    }
    case "allow": {
      const found = guard.path === undefined ? value : valueAt(value, guard.path);
      const what = guard.path === undefined ? "It" : `The value of "${guard.path}"`;
      return verdict(guard.values.includes(found as never), `${what} is not one of ${guard.values.join(", ")}.`);
    }
    case "judge": {
      const { passes, reason, ledger } = await judge(guard, text, run, config);
      return { ...verdict(passes, `It breaks the rule "${guard.rule}".`, reason), ledger };
    }
    case "function": {
      const call = projectGuard(guard.name);
      if (!call) throw new Error(`there is no guard "${guard.name}" any more`);
      return asVerdict(await call(value));
    }
    default:
      throw new Error(`there is no guard "${(guard as Guard).kind}"`);
  }
}

/** Returns the verdict for the answer of a guard function. The function supplies the text of the reason. */
export const asVerdict = ({ ok, value, reason = "It was refused." }: GuardAnswer): Verdict => ({ ok: ok === true, reason, value });

const forbidden = { pii: "It has personal data.", secrets: "It has secrets.", regex: "It matches a forbidden pattern." };

const wordsIn = (text: string): number => text.match(/\S+/g)?.length ?? 0;
