import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { isId } from "../db/ids.ts";
import { everything } from "../db/scope.ts";
import { PlanCreate, TaskChange } from "../plans/plan.ts";
import { createPlan, getPlan, listPlans, sweepPlans } from "../plans/plans.ts";
import { updateTask } from "../plans/update-task.ts";
import { readEnvironment } from "../startup/environment.ts";
import type { Arguments } from "./arguments.ts";
import { clean, safeJson } from "./terminal/clean.ts";
import { openScreen } from "./terminal/screen.ts";
import { showTable } from "./terminal/table.ts";
import { withDatabase } from "./with-database.ts";

const mostListed = 100;
const batch = 200;

const actions: Record<string, (args: Arguments, words: string[]) => Promise<void>> = { list, create, update, status, aggregate, cleanup };

/**
 * Runs `ensemble plans <action>`, which registers plans, changes their subtasks and shows their results. It reads and writes the database
 * directly.
 */
export async function plans(args: Arguments): Promise<void> {
  const [action = "list", ...words] = args.words;
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!run) throw new Error(`"plans" does not take "${action}". It takes ${Object.keys(actions).join(", ")}.`);
  await run(args, words);
}

async function list({ texts, flags }: Arguments): Promise<void> {
  const search = { type: texts.type, ...(flags.has("active") && { active: true }), limit: mostListed, offset: 0 };
  const { rows, total } = await withDatabase((pool) => listPlans(pool, everything, search));
  if (flags.has("json")) return console.log(safeJson(rows));
  if (total === 0) return console.log("No plans.");
  const cells = rows.map(({ plan_id, type, status, progress, title }) => [plan_id, type, status, `${progress.percent} %`, title ?? ""]);
  showTable(openScreen(process.stdout), ["plan", "type", "status", "done", "title"], cells);
  if (total > rows.length) console.log(`… and ${total - rows.length} more`);
}

/** Registers a plan and prints its id. */
async function create({ texts }: Arguments): Promise<void> {
  if (texts.subtasks === undefined) throw new Error('"plans create" needs --subtasks: JSON, the name of a file, or - for stdin.');
  const subtasks = parsed("subtasks", await contentOf(texts.subtasks));
  const metadata = texts.metadata === undefined ? undefined : parsed("metadata", texts.metadata);
  const wanted = checked(PlanCreate, { type: texts.type, title: texts.title, metadata, subtasks });
  console.log(await withDatabase((pool) => createPlan(pool, wanted, null)));
}

async function update({ texts, flags }: Arguments, [plan, taskId]: string[]): Promise<void> {
  if (plan === undefined || taskId === undefined) throw new Error('"plans update" needs the id of a plan and the id of a subtask.');
  if (texts.status === undefined) throw new Error('"plans update" needs --status.');
  const { status, result, error, agent } = texts;
  const change = checked(TaskChange, {
    status,
    error,
    agent,
    result: result === undefined ? undefined : resultIn(result),
    force: flags.has("force"),
  });
  const place = { planId: planIn(plan), taskId };
  const task = await withDatabase((pool) => updateTask(pool, everything, place, change));
  console.log(clean(`Subtask "${task.id}" is ${task.status}.`));
}

async function status({ flags }: Arguments, [plan]: string[]): Promise<void> {
  const whole = await read("status", plan);
  if (flags.has("json")) return console.log(safeJson(whole));
  const { type, title, progress, ready, blocked, subtasks } = whole;
  console.log(clean(`${title ?? type}: ${whole.status}, ${progress.percent} % done`));
  const cells = subtasks.map(({ id, status, agent, attempts, error }) => [id, status, agent ?? "", String(attempts), error ?? ""]);
  showTable(openScreen(process.stdout), ["subtask", "status", "agent", "attempts", "error"], cells);
  if (ready.length > 0) console.log(clean(`Ready: ${ready.join(", ")}`));
  if (blocked.length > 0) console.log(clean(`Blocked: ${blocked.join(", ")}`));
}

async function aggregate(_: Arguments, [plan]: string[]): Promise<void> {
  console.log(safeJson((await read("aggregate", plan)).aggregate));
}

function read(action: string, plan: string | undefined) {
  if (plan === undefined) throw new Error(`"plans ${action}" needs the id of a plan.`);
  const planId = planIn(plan);
  return withDatabase((pool) => getPlan(pool, everything, planId));
}

/** Deletes the plans that have not changed for a number of days: the value of `--days`, or else the setting of the service. */
async function cleanup({ texts }: Arguments): Promise<void> {
  const days = texts.days === undefined ? (await readEnvironment()).planDays : Number(texts.days);
  if (!(days >= 0)) throw new Error(`--days is "${texts.days}"; it should be a number of days.`);
  let deleted = 0;
  await withDatabase(async (pool) => {
    for (let swept = batch; swept === batch; deleted += swept) swept = await sweepPlans(pool, days, batch);
  });
  console.log(deleted === 1 ? "1 plan is deleted." : `${deleted} plans are deleted.`);
}

function planIn(plan: string): string {
  if (!isId(plan)) throw new Error(`"${plan}" is not the id of a plan.`);
  return plan.toLowerCase();
}

/** Returns the JSON text of an option: the option's value itself, the content of the file that it names, or stdin for "-". */
async function contentOf(given: string): Promise<string> {
  if (/^\s*[[{]/.test(given)) return given;
  if (given === "-") return text(process.stdin);
  return readFile(given, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${given} could not be read: ${error.code ?? error.message}.`);
  });
}

function parsed(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(`--${name} is not JSON: ${json.slice(0, 100)}`);
  }
}

/** Returns the JSON value in a text, or the text itself if it is no JSON. */
function resultIn(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (error) throw new Error(error.issues.map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`).join("; "));
  return data as z.output<Schema>;
}
