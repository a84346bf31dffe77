import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";
import { z } from "zod";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { migrateAt } from "../../src/db/migrate.ts";
import { openPool } from "../../src/db/pool.ts";
import { readProject } from "../../src/registry/project.ts";
import { loadRegistry } from "../../src/registry/registry.ts";
import { answerParent, argumentOfParent } from "../child.ts";
import { applyLoad, Load } from "../load/load.ts";

/**
 * Runs LangGraph without a service in this child process. It runs the same graphs with the requested saver, without HTTP and without a
 * queue.
 */
const Argument = z.object({ saver: z.enum(["none", "stock", "ours"]), url: z.string() });
const poolSize = 10; // the same as the service's default

const registry = await loadRegistry((await readProject(fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url)))).graphs);
const checkpointer = await openSaver(Argument.parse(argumentOfParent()));

async function openSaver({ saver, url }: z.output<typeof Argument>): Promise<BaseCheckpointSaver | undefined> {
  if (saver === "none") return undefined;
  if (saver === "ours") {
    await migrateAt(url);
    return new EnsembleSaver(openPool({ url, size: poolSize, onError: console.error }));
  }
  const stock = new PostgresSaver(new pg.Pool({ connectionString: url, max: poolSize }));
  await stock.setup();
  return stock;
}

answerParent(async (question) => {
  const load = Load.parse(question);
  const graph = await registry.open(load.graph, checkpointer && { checkpointer });
  return applyLoad(load, async () => {
    const options = { configurable: { thread_id: load.threadId ?? randomUUID() }, durability: "sync" as const };
    const started = performance.now();
    let first: number | undefined;
    if (load.method === "wait") await graph.invoke(load.input, options);
    else for await (const _ of await graph.stream(load.input, { ...options, streamMode: "values" })) first ??= performance.now() - started;
    const end = performance.now() - started;
    return { first: first ?? end, end };
  });
});
