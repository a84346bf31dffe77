import { z } from "zod";
import { callAgent } from "../kit/agent.ts";
import { profile } from "./definition.ts";
import { pick, seededRandom } from "./random.ts";
import type { Skill } from "./skill.ts";

const Params = z.object({
  instruction: z.string().trim().min(1).default("Say the sentence again in your own words.").describe("Instruction for each sentence"),
  texts: z.array(z.string().min(1)).default([]).describe("Your own sentences"),
  timeoutSeconds: z.number().positive().max(600).default(30).describe("Timeout of each model call"),
});

const Result = z.object({ answered: z.boolean(), kept: z.number().describe("Share of the sentence's words that came back") });

const Answer = z.object({ text: z.string().min(1).describe("The sentence") });

const who = ["The gardener", "A sailor", "The clerk", "My neighbour", "A child"] as const;
const what = ["repairs", "paints", "counts", "forgets", "carries"] as const;
const which = ["an old boat", "seven lanterns", "the garden gate", "a box of letters", "the tall ladder"] as const;

/** Calls a model for every item, to try a skill that costs tokens. */
export const echoAgent: Skill<string, z.infer<typeof Result>, z.infer<typeof Params>> = {
  name: "echo-agent",
  version: "1.0.0",
  description: "Asks a model once for every item",
  params: Params,
  result: Result,
  scenarios: () => profile("linear", 5, [5, 5, 8]),

  generate({ size, seed }, { texts }) {
    const random = seededRandom(seed);
    const made = () => `${pick(random, who)} ${pick(random, what)} ${pick(random, which)}.`;
    return Array.from({ length: size }, (_, index) => texts[index % texts.length] ?? made());
  },

  async invoke(batch, { instruction, timeoutSeconds }, { config, signal, models, limits, budget, record }) {
    const agent = { name: "echo", role: "a speaker", instructions: instruction, weight: 1, retries: 2, timeoutSeconds };
    const call = { agent, model: models.worker, temperature: models.temperature, answer: { name: "echo", schema: Answer }, limits, budget };
    const outcomes = await inGroups(batch, limits.parallel, async (input) => {
      const outcome = await callAgent({ ...call, task: "Work on this sentence.", input }, { ...config, signal });
      record(outcome.entry); // at once, because a paid call counts whatever becomes of the batch
      return outcome;
    });
    const failure = outcomes.find(({ status }) => status !== "success");
    if (failure?.status !== undefined && failure.status !== "success" && outcomes.every(({ status }) => status !== "success")) {
      throw new Error(`No sentence was answered: ${failure.error}`);
    }
    return outcomes.map((outcome, index) =>
      outcome.status === "success"
        ? { answered: true, kept: overlap(batch[index] ?? "", outcome.result.text) }
        : { answered: false, kept: 0 },
    );
  },

  score(results) {
    return { answered: mean(results.map(({ answered }) => (answered ? 1 : 0))), fidelity: mean(results.map(({ kept }) => kept)) };
  },

  measure: (results) => ({ answers: results.filter(({ answered }) => answered).length }),
};

async function inGroups<T, R>(items: T[], size: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let index = 0; index < items.length; index += size) done.push(...(await Promise.all(items.slice(index, index + size).map(work))));
  return done;
}

const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);

function overlap(given: string, answered: string): number {
  const words = (text: string) => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
  const [wanted, found] = [words(given), words(answered)];
  return [...wanted].filter((word) => found.has(word)).length / Math.max(1, wanted.size);
}
