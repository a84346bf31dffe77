import { createHash } from "node:crypto";
import { type BaseStore, getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { agent } from "../agent.ts";
import type { AgentRun } from "../agent-run.ts";
import type { LedgerEntry } from "../ledger.ts";
import { asText, cut } from "../prompt.ts";
import { type Passage, shareOf } from "./passage.ts";

const spaces = { tasks: "task-memories", entities: "entity-memories" } as const;
const mostFacts = 20;
const longestOutcomeTokens = 500;

const Entities = z.object({
  entities: z
    .array(
      z.object({
        name: z.string().min(1).max(200).describe("Name of a person, product, place or other thing"),
        facts: z.array(z.string().min(1)).max(10),
      }),
    )
    .max(10)
    .describe("Only facts that later tasks may need. Empty if there are none."),
});
const Known = z.object({ facts: z.array(z.string()) });

/** Returns what the agent learned in earlier tasks that are similar to this one. */
export async function recallLearned(store: BaseStore, run: AgentRun, query: string, config: LangGraphRunnableConfig): Promise<Passage[]> {
  const { memory, resultsLimit: limit = 3 } = run.agent;
  const found: Passage[] = [];
  for (const kind of ["tasks", "entities"] as const) {
    if (!memory?.[kind]) continue;
    for (const { value, score } of await store.search(namespaceOf(kind, config), { query, limit })) {
      const text = String(value.text);
      found.push({ source: kind === "tasks" ? "an earlier task" : "memory", text, score: score ?? shareOf(query, text) });
    }
  }
  return found;
}

interface Ended {
  task: string;
  result: unknown;
  /** How the task ended, such as `success`, `step_limit`, `failed` or `timeout`. */
  quality: string;
}

/**
 * Stores a task with its outcome, and the facts about people and things that a model finds in the task and the outcome. Returns the ledger
 * entries of the model call that finds the facts.
 */
export async function learn(run: AgentRun, { task, result, quality }: Ended, config: LangGraphRunnableConfig): Promise<LedgerEntry[]> {
  const { memory, name } = run.agent;
  const store = getStore(config);
  if (!memory || !store) return [];
  const outcome = cut(asText(result) ?? "", longestOutcomeTokens);
  if (memory.tasks) {
    const key = createHash("sha256").update(`${name}\n${task}`).digest("hex");
    const text = `Task: ${cut(task, longestOutcomeTokens)}\nOutcome (${quality}): ${outcome}`;
    await store.put(namespaceOf("tasks", config), key, { text, agent: name, quality }, ["text"]);
  }
  if (!memory.entities || quality === "failed" || quality === "timeout") return [];
  return noteEntities(store, run, `Task: ${task}\n\nOutcome: ${outcome}`, config);
}

async function noteEntities(store: BaseStore, run: AgentRun, text: string, config: LangGraphRunnableConfig): Promise<LedgerEntry[]> {
  const { runAgent } = await import("../run-agent.ts"); // imported here, because run-agent.ts imports this file indirectly
  const { timeoutSeconds, retries, model } = run.agent;
  const noting = { ...agent({ name: "memory", role: "a careful note-taker", timeoutSeconds, retries }), model, output: Entities };
  const errand = { task: "Note facts about the people and things in this text.", input: text, constraints: [], messages: undefined };
  const outcome = await runAgent<z.infer<typeof Entities>>({ ...run, agent: noting, ...errand, quiet: true }, config);
  run.record?.(outcome.ledger);
  if (outcome.status !== "success") return outcome.ledger; // a failure to find facts does not fail the agent's task
  for (const { name, facts } of outcome.result.entities) {
    const namespace = namespaceOf("entities", config);
    const key = name.toLowerCase();
    const known = Known.safeParse((await store.get(namespace, key))?.value).data?.facts ?? [];
    const all = [...new Set([...known, ...facts])].slice(-mostFacts);
    await store.put(namespace, key, { text: `${name}: ${all.join(" ")}`, name, facts: all }, ["text"]);
  }
  return outcome.ledger;
}

/**
 * Returns the store's namespace for a kind of memory. The namespace contains the id of the assistant. If the user is known, the namespace
 * also contains the user's identity.
 */
function namespaceOf(kind: keyof typeof spaces, { configurable }: LangGraphRunnableConfig): string[] {
  const user: unknown = configurable?.langgraph_auth_user?.identity;
  return [spaces[kind], String(configurable?.assistant_id ?? "nobody"), ...(typeof user === "string" ? [user] : [])];
}
