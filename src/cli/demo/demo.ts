import type { Arguments } from "../arguments.ts";
import { findAddress, findTrouble, isNotFound, withService } from "../terminal/connection.ts";
import { converse, type ExitCode, listenForLeave, openSession, startRun, warnOfHalt } from "../terminal/session.ts";
import { type OwnService, startOwnService } from "./own-service.ts";

const graph = "scenario";

/** Runs `ensemble demo`, which demonstrates the scenario orchestrator. If no service is running, starts one and stops it afterwards. */
export async function demo(args: Arguments): Promise<ExitCode> {
  const leaving = listenForLeave();
  const keep = args.flags.has("keep");
  const own = await serviceIfNone(args, leaving);
  try {
    const reached = own ? { ...args, texts: { ...args.texts, url: own.url } } : args;
    return await withService(reached, async (connection) => {
      const { client } = connection;
      await client.assistants.get(graph).catch(explainMissing);
      const thread = await client.threads.create({ graphId: graph });
      const session = openSession(connection, args, { graph, threadId: thread.thread_id, context: undefined }, leaving);
      const { skill = "data-transformation", mode } = args.texts;
      await warnOfHalt(connection, session);
      const farewell =
        own && !keep ? "\nStopped together with its service. The run continues when a service starts on the same data." : undefined;
      return converse({ ...session, farewell }, startRun(session, { input: { skill, ...(mode && { mode }) } }));
    });
  } finally {
    if (own) await endOwnService(own, keep);
  }
}

async function serviceIfNone(args: Arguments, leaving: AbortSignal): Promise<OwnService | undefined> {
  const address = await findAddress(args);
  if (address.source === "nobody") note("No service of this directory runs. Starting one.");
  else {
    const trouble = await findTrouble(address);
    if (!trouble) {
      note(`Using the service at ${address.url}.`);
      return undefined;
    }
    if (address.source !== "port" || !trouble.startsWith("No service")) throw new Error(trouble);
    note(`No service answers at ${address.url}. Starting one.`);
  }
  const own = await startOwnService(leaving);
  note(`It listens on ${own.url}; its log is ${own.log}.`);
  return own;
}

async function endOwnService({ url, pid, stop, release }: OwnService, keep: boolean): Promise<void> {
  if (!keep) return stop();
  release();
  note(`The service stays at ${url}. \`kill ${pid}\` stops it.`);
}

/** Writes a note to stderr, because stdout is reserved for the result that `--json` prints. */
function note(sentence: string): void {
  console.error(sentence);
}

function explainMissing(error: unknown): never {
  if (!isNotFound(error)) throw error;
  throw new Error(
    `This service has no graph "${graph}": start it with Ensemble's own langgraph.json, or list graphs/scenario.ts in yours.`,
  );
}
