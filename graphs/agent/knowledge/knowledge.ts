import { createHash } from "node:crypto";
import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { type BaseStore, getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { AgentRun } from "../agent-run.ts";
import { report } from "../progress.ts";
import { chunksOf } from "./chunks.ts";
import { recallLearned } from "./learned.ts";
import { type Passage, shareOf } from "./passage.ts";
import { KnowledgeError, nameOf, readSource } from "./read-source.ts";
import type { Source } from "./schema.ts";

const usualLimit = 3;
const usualThreshold = 0.35;
const longestQuery = 2_000;
/**
 * The number of minutes for which the store keeps the record that all chunks of a text are embedded. The chunks are kept a day longer, so
 * that no chunk is missing while the record exists.
 */
const recordMinutes = 30 * 24 * 60;
const chunkMinutes = 31 * 24 * 60;

const Hit = z.object({ text: z.string() });

/** Returns the passages of the agent's knowledge that match a task, as a text to put before the task. Returns "" if none matches. */
export async function knowledgeFor(run: AgentRun, task: string, config: LangGraphRunnableConfig): Promise<string> {
  const { knowledge = [], memory, resultsLimit = usualLimit, scoreThreshold = usualThreshold } = run.agent;
  const remembers = memory?.tasks || memory?.entities;
  if (knowledge.length === 0 && !remembers) return "";
  const startedAt = Date.now();
  const store = getStore(config);
  if (!store) throw new KnowledgeError("There is no store for the knowledge of the agent.");
  const query = task.replace(/^Task: /, "").slice(0, longestQuery);
  const found = await recallLearned(store, run, query, config);
  for (const source of knowledge) found.push(...(await search(store, source, { query, limit: resultsLimit }, run, config)));
  const best = found
    .filter(({ score }) => score >= scoreThreshold)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, resultsLimit);
  const details = best.map(({ source, score }) => ({ source, score }));
  report(config, run.pattern, "knowledge", startedAt, { agent: run.agent.name, passages: details });
  if (best.length === 0) return "";
  return `Knowledge that may help:\n${best.map(({ source, text }) => `[${source}]\n${text}`).join("\n\n")}`;
}

/** Returns the text of the last message of a person, which is the task. */
export const taskIn = (messages: BaseMessage[]): string => messages.findLast((message) => HumanMessage.isInstance(message))?.text ?? "";

/** Returns the messages for the model, with the knowledge before the task. The knowledge is not stored in the thread. */
export function withKnowledge(messages: BaseMessage[], knowledge: string): BaseMessage[] {
  const at = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const { id, content } = messages[at] ?? {};
  if (knowledge === "" || content === undefined) return messages;
  const told = typeof content === "string" ? `${knowledge}\n\n${content}` : [{ type: "text", text: knowledge }, ...content];
  return messages.with(at, new HumanMessage({ id, content: told as string }));
}

interface Query {
  query: string;
  limit: number;
}

async function search(store: BaseStore, source: Source, query: Query, run: AgentRun, config: LangGraphRunnableConfig): Promise<Passage[]> {
  const namespace = source.store ?? (await embedOnce(store, source, await readSource(source, run.hosts, config.signal), config.signal));
  const items = await store.search(namespace, query);
  return items.map(({ value, key, score }) => {
    const text = Hit.safeParse(value).data?.text ?? JSON.stringify(value);
    const name = source.store ? `${nameOf(source)}/${key}` : nameOf(source);
    return { source: name, text: text.slice(0, 4_000), score: score ?? shareOf(query.query, text) };
  });
}

/**
 * Stores the chunks of a text, unless they are stored already. Returns their namespace, which contains a hash of the text. A changed text
 * is therefore embedded again, and a search finds only passages of the current text.
 */
async function embedOnce(store: BaseStore, source: Source, text: string, signal: AbortSignal | undefined): Promise<string[]> {
  const hash = createHash("sha256").update(text).digest("hex");
  const namespace = ["knowledge-chunks", hash];
  if (await readQuietly(store, ["knowledge-records"], hash)) return namespace;
  for (const [index, chunk] of passagesOf(text, source).entries()) {
    signal?.throwIfAborted();
    await put(store, namespace, String(index), { text: chunk }, ["text"], chunkMinutes);
  }
  await put(store, ["knowledge-records"], hash, { embedded: true }, false, recordMinutes);
  return namespace;
}

function passagesOf(text: string, source: Source): string[] {
  try {
    return chunksOf(text);
  } catch (error) {
    throw new KnowledgeError(`The knowledge "${nameOf(source)}" cannot be used: ${(error as Error).message}`);
  }
}

type Get = (namespace: string[], key: string, options: { refreshTtl: boolean }) => Promise<unknown>;

/** Reads an item without extending its time to live. The cast is needed because LangGraph's types lack the last argument. */
const readQuietly = (store: BaseStore, namespace: string[], key: string) =>
  (store.get as unknown as Get).call(store, namespace, key, { refreshTtl: false });

type Put = (namespace: string[], key: string, value: object, index: false | string[], options: { ttl: number }) => Promise<void>;

/** Puts an item with a time to live, in minutes. The cast is needed because LangGraph's types lack the last argument. */
const put = (store: BaseStore, namespace: string[], key: string, value: object, index: false | string[], ttl: number) =>
  (store.put as unknown as Put).call(store, namespace, key, value, index, { ttl });
