import { z } from "zod";
import { agent } from "../agent/agent.ts";
import { tierOf } from "../agent/context.ts";
import { runAgent } from "../agent/run-agent.ts";
import { profile } from "./definition.ts";
import { pick, seededRandom } from "./random.ts";
import { type Batch, defineSkill } from "./skill.ts";

const Params = z.strictObject({
  instruction: z.string().trim().min(1).default("Say the text again in your own words.").describe("Instruction for each text"),
  texts: z.array(z.string().min(1)).default([]).describe("Your own texts"),
  timeoutSeconds: z.number().positive().max(600).default(30).describe("Timeout of each model call"),
});

const Result = z.object({ kept: z.number().describe("Share of the text's words that the answer repeats") });
type Result = z.infer<typeof Result>;

const Answer = z.object({ text: z.string().min(1).describe("The text") });

const who = ["The gardener", "A sailor", "The clerk", "My neighbour", "A child"] as const;
const what = ["repairs", "paints", "counts", "forgets", "carries"] as const;
const which = ["an old boat", "seven lanterns", "the garden gate", "a box of letters", "the tall ladder"] as const;

/**
 * Calls a model once for every item. It lets you try a skill that costs tokens. The complexity of a scenario sets the number of sentences
 * in a text.
 */
export const echoAgent = defineSkill<string, Result, z.infer<typeof Params>>({
  name: "echo-agent",
  version: "1.1.0",
  description: "Asks a model once for every item",
  params: Params,
  result: Result,
  scenarios: () => profile("linear", 5, [5, 5, 8]),

  generate({ size, seed, complexity }, { texts }) {
    const random = seededRandom(seed);
    const sentence = () => `${pick(random, who)} ${pick(random, what)} ${pick(random, which)}.`;
    const made = () => Array.from({ length: Math.max(1, Math.round(complexity)) }, sentence).join(" ");
    return Array.from({ length: size }, (_, index) => texts[index % texts.length] ?? made());
  },

  async invoke(batch, { instruction, timeoutSeconds }, job) {
    const speaker = agent({ name: "echo", role: "a speaker", instructions: instruction, timeoutSeconds, output: Answer });
    const assignment = { agent: speaker, ...tierOf(job, "worker"), task: "Work on this text.", pattern: "scenario" };
    const ask = async (input: string) => {
      const outcome = await runAgent<z.infer<typeof Answer>>({ ...assignment, input }, { ...job.config, signal: job.signal });
      outcome.ledger.forEach(job.record); // recorded right after the call, because it costs money even if the batch fails
      return outcome;
    };
    // An agent without tools makes one model call and needs no subgraph, so several agents may run in this node in parallel.
    const outcomes = await Promise.all(batch.map((input) => job.turn(() => ask(input))));
    const done: Batch<Result> = { results: [], failed: [] };
    outcomes.forEach((outcome, index) => {
      if (outcome.status === "success") done.results.push({ kept: overlap(batch[index] ?? "", outcome.result.text) });
      else done.failed.push({ index, error: outcome.error });
    });
    if (done.results.length === 0) throw new Error(`No text was answered: ${done.failed[0]?.error}`);
    return done;
  },

  score: (results) => ({ fidelity: results.reduce((sum, { kept }) => sum + kept, 0) / Math.max(1, results.length) }),
  measure: (results) => ({ answers: results.length }),
  tokens: ({ instruction }, complexity) => ({
    input: Math.ceil(80 + instruction.length / 4 + 12 * complexity),
    output: Math.ceil(15 * complexity),
  }),
});

function overlap(given: string, answered: string): number {
  const words = (text: string) => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
  const [wanted, found] = [words(given), words(answered)];
  return [...wanted].filter((word) => found.has(word)).length / Math.max(1, wanted.size);
}
