import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Client, Thread } from "@langchain/langgraph-sdk";
import { z } from "zod";
import type { Arguments } from "../arguments.ts";
import { isNotFound, withService } from "./connection.ts";
import { contextOf } from "./find.ts";
import { questionsOf } from "./questions.ts";
import { answer, converse, type ExitCode, leaveOpen, openSession, startRun, warnOfHalt } from "./session.ts";

const Document = z.record(z.string(), z.unknown());
type Input = z.output<typeof Document>;
const Described = z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) });

/** Runs `ensemble run <graph>`, which starts a run on a new or an existing thread and follows the run to its end. */
export async function run(args: Arguments): Promise<ExitCode> {
  return runGraph(args, args.words[0] ?? "", await readStart(args));
}

/** Starts a run of a graph, and follows the run to its end. */
export function runGraph(args: Arguments, graph: string, options: StartOptions): Promise<ExitCode> {
  return withService(args, async (connection) => {
    const { client } = connection;
    const input = await fitTask(client, graph, args.texts.task, options.input);
    const thread = args.texts.thread ? await client.threads.get(args.texts.thread) : await client.threads.create({ graphId: graph });
    const questions = questionsOf(thread);
    const continues = !input && (questions.length > 0 || thread.status === "interrupted");
    const context = options.context ?? (continues ? await lastContext(client, thread) : undefined);
    const session = openSession(connection, args, { graph, threadId: thread.thread_id, context });
    await warnOfHalt(connection, session);
    if (input && thread.status === "busy") session.say("The thread is busy. This run waits for its turn.");
    const resume = options.resume ?? (input ? undefined : await answer(session, questions));
    if (resume !== undefined) return converse(session, startRun(session, { command: { resume } }));
    if (!input && questions.length > 0) return leaveOpen(session, { questions, values: { __interrupt__: questions } });
    return converse(session, startRun(session, { input: input ?? beginning(thread) }));
  });
}

/**
 * Returns the input of a run for which the user gave no input. Returns null for an interrupted thread, so that the graph continues. For any
 * other thread, returns an empty object, so that the graph starts again with the thread's state.
 */
const beginning = ({ status }: Thread) => (status === "interrupted" ? null : {});

/** Returns the context of the thread's newest run. A run that continues the thread gets this context if the user gives no other. */
async function lastContext(client: Client, { thread_id }: Thread): Promise<Input | undefined> {
  return contextOf((await client.runs.list(thread_id, { limit: 1 }))[0]);
}

export interface StartOptions {
  input: Input | undefined;
  context: Input | undefined;
  resume: unknown;
}

/**
 * Reads the options and the files that they name. Call this function before any request is sent, so that a mistake in the options has no
 * effect.
 */
export async function readStart({ texts }: Arguments): Promise<StartOptions> {
  const { thread, resume, input, task, context } = texts;
  if (thread !== undefined && !z.guid().safeParse(thread).success)
    throw new Error(`--thread is "${thread}", which is not the id of a thread.`);
  if (resume !== undefined && thread === undefined) throw new Error("--resume answers a question of a thread: name it with --thread.");
  if (resume !== undefined && (input !== undefined || task !== undefined))
    throw new Error("--resume answers an open question, while --task and --input begin something new. Use one of them.");
  return {
    input: input === undefined ? undefined : await readDocument("--input", input),
    context: context === undefined ? undefined : await readDocument("--context", context),
    resume: resume === undefined ? undefined : readJson("--resume", resume),
  };
}

export async function readDocument(option: string, file: string): Promise<Input> {
  const content = await (file === "-" ? text(process.stdin) : readFile(file, "utf8")).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${option}: ${file} cannot be read (${error.code ?? error.message}).`);
  });
  const document = Document.safeParse(readJson(`${option} ${file}`, content));
  if (!document.success) throw new Error(`${option}: ${file} should hold a JSON object.`);
  return document.data;
}

function readJson(where: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Error(`${where} is not JSON: ${(error as Error).message}`);
  }
}

/** Adds the task to the input in the form that the graph expects: in the field `task`, or as a user message. */
async function fitTask(client: Client, graph: string, task: string | undefined, input: Input | undefined): Promise<Input | undefined> {
  const { properties } = Described.parse((await schemasOf(client, graph)).input_schema ?? {});
  if (task === undefined) return input;
  const asMessage = { messages: [{ role: "user", content: task }] };
  if ("task" in properties) return { ...input, task };
  if ("messages" in properties) return { ...input, ...asMessage };
  const keys = Object.keys(properties);
  if (keys.length > 0) throw new Error(`"${graph}" takes no task; give it ${keys.join(", ")} with --input.`);
  return { ...input, task, ...asMessage }; // the graph declares no input, so it gets both forms and ignores the unknown one
}

async function schemasOf(client: Client, graph: string) {
  return client.assistants.getSchemas(graph).catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error;
    const all = await client.assistants.search({ limit: 1_000, metadata: { created_by: "system" } });
    const names = all.map(({ graph_id, metadata }) => String(metadata?.preset ?? graph_id)).sort();
    throw new Error(`There is no graph "${graph}" here; there are ${names.join(", ")}.`);
  });
}
