import type { Client, Command } from "@langchain/langgraph-sdk";
import type { Arguments } from "../arguments.ts";
import { safeJson } from "./clean.ts";
import { type Connection, isHalted } from "./connection.ts";
import { type Ending, followRun, type Stream } from "./follow-run.ts";
import { openPrompt, type Person } from "./person.ts";
import { exampleAnswer, type OpenQuestion, questionsOf } from "./questions.ts";
import { openScreen } from "./screen.ts";
import { jsonView, readableView, type View } from "./view.ts";

/**
 * The exit code of a command that follows a run:
 * - 0 means success.
 * - 1 means failure.
 * - 3 means that the run waits for an answer.
 * - 130 means that the user left with Ctrl-C while the run continues.
 */
export type ExitCode = 0 | 1 | 3 | 130;

/** The state of a command that follows the runs of a thread. */
export interface Session {
  client: Client;
  graph: string;
  threadId: string;
  /**
   * The context of the session's runs. A run that answers a question uses the context of the run that asked. Undefined means no context.
   */
  context: Record<string, unknown> | undefined;
  view: View;
  /** The person who answers questions. Undefined if no person can be asked. */
  person: Person | undefined;
  /** Writes a note for the user to stderr. The note is not part of the result. */
  say: (sentence: string) => void;
  leaving: AbortSignal;
  /**
   * The note that a person sees after leaving with Ctrl-C. It is set by commands that also stop their service at that moment. Undefined
   * means the default note.
   */
  farewell?: string | undefined;
}

export type Start = { input: Record<string, unknown> | null } | { command: Command };
type Where = Pick<Session, "graph" | "threadId" | "context">;

/** Opens a session, which writes the result to stdout and asks questions at the terminal. */
export function openSession({ client }: Connection, { flags }: Arguments, where: Where, leaving = listenForLeave()): Session {
  const screen = openScreen(process.stdout);
  const json = flags.has("json");
  const notes = openScreen(process.stderr);
  const asksAt = process.stdout.isTTY ? process.stdout : process.stderr;
  const canAsk = !json && process.stdin.isTTY === true && asksAt.isTTY === true;
  return {
    ...where,
    client,
    leaving,
    view: json ? jsonView(process.stdout) : readableView(screen),
    person: canAsk ? openPrompt(process.stdin, asksAt, asksAt === process.stdout ? screen : notes) : undefined,
    say: (sentence) => notes.line(sentence),
  };
}

/** Tells the person if the service is halted. Otherwise, the run would seem to hang. */
export async function warnOfHalt({ url }: Connection, { say }: Session): Promise<void> {
  if (await isHalted(url).catch(() => false)) say("Work is halted on this service: the run waits until `ensemble resume`.");
}

/** Starts a run on the session's thread. If the connection breaks, the run's stream reconnects. */
export function startRun({ client, graph, threadId, context, leaving }: Session, start: Start): Stream {
  let runId: string | undefined;
  const parts = client.runs.stream(threadId, graph, {
    ...start,
    ...(context && { context }),
    streamMode: ["updates", "messages-tuple", "custom"],
    streamSubgraphs: true,
    onDisconnect: "continue",
    signal: leaving,
    onRunCreated: (run) => {
      runId = run.run_id;
    },
  });
  return { threadId, runId: () => runId, parts };
}

/** Follows a run, asks the person the run's questions, and follows the runs that continue with the answers. Returns the exit code. */
export async function converse(session: Session, first: Stream): Promise<ExitCode> {
  for (let stream = first; ; ) {
    const ending = await followRun(session.client, stream, session.view, session.leaving);
    if (ending.kind !== "asks") return conclude(session, ending);
    const resume = await answer(session, ending.questions);
    if (!resume) return leaveOpen(session, ending);
    stream = startRun(session, { command: { resume } });
  }
}

/** Returns the person's answers, by the ids of the questions. Returns undefined if no person can be asked, or if the person has left. */
export async function answer(
  { client, threadId, person }: Session,
  questions: OpenQuestion[],
): Promise<Record<string, unknown> | undefined> {
  if (!person || questions.length === 0) return undefined;
  const answers = await person.answer(questions);
  const open = questionsOf(await client.threads.get(threadId)).map(({ id }) => id);
  if (answers && !questions.every(({ id }) => open.includes(id)))
    throw new Error(`Somebody else has answered meanwhile, or the time was up. \`ensemble watch ${threadId}\` shows the result.`);
  return answers;
}

function conclude({ view, say, threadId, farewell }: Session, ending: Exclude<Ending, { kind: "asks" }>): ExitCode {
  if (ending.kind === "left") {
    const { runId } = ending;
    say(
      farewell !== undefined
        ? farewell
        : runId
          ? `\nThe run goes on. \`ensemble watch ${threadId}\` joins it again, \`ensemble cancel ${runId}\` stops it.`
          : `\nLeft before the service had answered. \`ensemble runs --thread ${threadId}\` shows whether there is a run.`,
    );
    return 130;
  }
  if (ending.kind === "failed") {
    say(`ensemble: ${ending.sentence}`);
    return 1;
  }
  view.values(ending.values);
  return 0;
}

/** Tells the user what the run waits for, and how to continue it. */
export function leaveOpen(
  { view, say, graph, threadId, person }: Session,
  { questions, values }: { questions: OpenQuestion[]; values: unknown },
): ExitCode {
  if (!person) view.values(values); // a person has just seen the questions, so `view` does not show them again
  const again = `ensemble run ${graph} --thread ${threadId}`;
  if (questions.length === 0) say(`The run paused at a breakpoint; \`${again}\` goes on.`);
  else
    say(
      `${person ? "\n" : ""}The run waits for an answer. To go on:\n  ${again} --resume '${safeJson(exampleAnswer(questions)).replaceAll("'", "'\\''")}'`,
    );
  return 3;
}

/** Returns a signal that aborts at the first Ctrl-C, SIGTERM or SIGHUP. A second Ctrl-C ends the command as usual. */
export function listenForLeave(): AbortSignal {
  const leaving = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => leaving.abort());
  return leaving.signal;
}
