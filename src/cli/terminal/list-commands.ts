import type { Client, Run } from "@langchain/langgraph-sdk";
import { z } from "zod";
import { RunStatus } from "../../runs/run.ts";
import type { Arguments } from "../arguments.ts";
import { excerpt, safeJson } from "./clean.ts";
import { withService } from "./connection.ts";
import { findRun, newestRuns } from "./find.ts";
import { questionsIn } from "./questions.ts";
import { showResult } from "./result.ts";
import { openScreen } from "./screen.ts";
import { showTable } from "./table.ts";

/** Runs `ensemble graphs`, which lists the service's graphs, and the assistants from the project's files. */
export async function listGraphs(args: Arguments): Promise<void> {
  const found = await withService(args, async ({ client }) => systemAssistants(client));
  const presets = found.filter(({ metadata }) => metadata?.preset !== undefined);
  const graphs = found
    .filter((one) => !presets.includes(one))
    .map(({ graph_id, description }) => ({ graph_id, description: description ?? "" }));
  graphs.sort((one, other) => one.graph_id.localeCompare(other.graph_id));
  if (args.flags.has("json")) return printJson(graphs);
  showTable(
    openScreen(process.stdout),
    ["graph", "description"],
    graphs.map(({ graph_id, description }) => [graph_id, description]),
  );
  if (presets.length === 0) return;
  const rows = presets.map(({ metadata, graph_id, description }) => [String(metadata?.preset), graph_id, description ?? ""]);
  console.log();
  showTable(openScreen(process.stdout), ["assistant", "graph", "description"], rows.sort());
}

/** Returns the default assistants of all graphs, and the assistants from the project's files. */
async function systemAssistants(client: Client) {
  return client.assistants.search({ limit: 1_000, metadata: { created_by: "system" } });
}

/** Runs `ensemble runs`, which lists the newest runs of one thread or of all threads. */
export async function listRuns(args: Arguments): Promise<void> {
  const { thread, status, limit = "20" } = args.texts;
  const wanted = z.coerce.number().int().min(1).max(1_000).safeParse(limit);
  if (!wanted.success) throw new Error(`--limit is "${limit}"; it should be a number from 1 to 1000.`);
  const state = RunStatus.optional().safeParse(status);
  if (!state.success) throw new Error(`--status is "${status}"; it should be one of ${RunStatus.options.join(", ")}.`);
  const only = { limit: wanted.data, ...(state.data && { status: state.data }) };

  const { runs, graphs } = await withService(args, async ({ client }) => {
    const found = thread ? await client.runs.list(thread, only) : await newestRuns(client, wanted.data, state.data);
    return { runs: found, graphs: args.flags.has("json") ? new Map() : await graphNames(client, found) };
  });
  if (args.flags.has("json")) return printJson(runs);
  if (runs.length === 0) return console.log("No runs.");
  const rows = runs.map((run) => [run.run_id, run.thread_id, graphs.get(run.assistant_id) ?? "-", run.status, timeOf(run)]);
  showTable(openScreen(process.stdout), ["run", "thread", "graph", "status", "created"], rows);
}

const timeOf = ({ created_at }: Run) => created_at.replace("T", " ").slice(0, 19);

async function graphNames(client: Client, runs: Run[]): Promise<Map<string, string>> {
  const ids = [...new Set(runs.map(({ assistant_id }) => assistant_id))];
  const names = await Promise.all(ids.map((id) => client.assistants.get(id).then(({ graph_id }) => graph_id)));
  return new Map(ids.map((id, index) => [id, names[index] ?? "-"]));
}

/** Runs `ensemble show <run>`, which shows the status and the result of a run. */
export async function showRun(args: Arguments): Promise<void> {
  const [runId = ""] = args.words;
  const { run, values, graphs } = await withService(args, async (connection) => {
    const { client } = connection;
    const found = await findRun(connection, runId, args.texts.thread);
    if (!found) throw new Error(`There is no run ${runId}${args.texts.thread ? ` on thread ${args.texts.thread}` : ""}.`);
    const isOpen = found.status === "pending" || found.status === "running";
    const output = isOpen ? null : await client.runs.join(found.thread_id, found.run_id);
    return { run: found, values: output, graphs: await graphNames(client, [found]) };
  });
  if (args.flags.has("json")) return printJson({ ...run, values });
  const screen = openScreen(process.stdout);
  const { kwargs } = z.object({ kwargs: z.looseObject({ input: z.unknown().optional() }) }).parse(run);
  const facts = {
    run: run.run_id,
    thread: run.thread_id,
    graph: graphs.get(run.assistant_id) ?? run.assistant_id,
    status: questionsIn(values) ? `${run.status}, waits for an answer` : run.status,
    created: timeOf(run),
    input: excerpt(safeJson(kwargs.input ?? null), 300),
  };
  for (const [name, value] of Object.entries(facts)) screen.line(["dim", name.padEnd(8)], value);
  if (values !== null) showResult(screen, values, () => false);
}

function printJson(value: unknown): void {
  console.log(safeJson(value));
}
