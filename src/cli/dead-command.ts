import { isId } from "../db/ids.ts";
import { everything } from "../db/scope.ts";
import { transaction } from "../db/sql.ts";
import { type Choice, discardLetters, redriveLetters } from "../letters/change-letters.ts";
import { type DeadLetter, LetterKind, LetterState } from "../letters/letter.ts";
import { getLetter, type LetterFilter, searchLetters } from "../letters/search-letters.ts";
import type { Arguments } from "./arguments.ts";
import { clean, safeJson } from "./terminal/clean.ts";
import { withValues } from "./with-database.ts";

const mostListed = 100;
const usualParallel = 10;

const actions: Record<string, (args: Arguments, ids: string[]) => Promise<void>> = { list, show, redrive, discard };

/** Runs `ensemble dead <action>`, which lists, shows, redrives or discards dead letters. It reads and writes the database directly. */
export async function dead(args: Arguments): Promise<void> {
  const [action = "list", ...ids] = args.words;
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!run) throw new Error(`"dead" does not take "${action}". It takes ${Object.keys(actions).join(", ")}.`);
  const malformed = ids.find((id) => !isId(id));
  if (malformed !== undefined) throw new Error(`"${malformed}" is not the id of a dead letter.`);
  await run(args, ids);
}

async function list({ texts, flags }: Arguments): Promise<void> {
  const filter = { ...filterIn(texts), state: one(LetterState, "state", texts.state ?? "dead") };
  const { rows, total } = await withValues((pool) => searchLetters(pool, everything, { ...filter, limit: mostListed, offset: 0 }));
  if (flags.has("json")) return console.log(safeJson(rows));
  if (total === 0) console.log("No dead letters.");
  for (const letter of rows) console.log(clean(line(letter)));
  if (total > rows.length) console.log(`… and ${total - rows.length} more`);
}

function line({ id, kind, last_at, attempts, graph_id, item, error }: DeadLetter): string {
  const what = [kind, graph_id, item].filter((part) => part !== null).join(" ");
  return `${id}  ${last_at.toISOString()}  ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}  ${what}  ${error.type}: ${error.message}`;
}

async function show(_: Arguments, ids: string[]): Promise<void> {
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0) throw new Error('"dead show" needs the id of one dead letter.');
  console.log(safeJson(await withValues((pool) => getLetter(pool, everything, id))));
}

async function redrive(args: Arguments, ids: string[]): Promise<void> {
  const choice = choiceIn(args, ids);
  const { edit: text, parallel = String(usualParallel) } = args.texts;
  if (!/^[1-9]\d{0,3}$/.test(parallel) || Number(parallel) > 1_000)
    throw new Error(`--parallel is "${parallel}"; it should be a number from 1 to 1000.`);
  const edit = text === undefined ? undefined : { input: parsed(text), user: null, metadata: {}, assistants: everything };
  const order = { parallel: Number(parallel), by: "cli", edit };
  const redriven = await withValues((pool) => transaction(pool, (tx) => redriveLetters(tx, everything, choice, order)));
  report(redriven, ids, "is redriven", "are redriven");
}

async function discard(args: Arguments, ids: string[]): Promise<void> {
  const choice = choiceIn(args, ids);
  const discarded = await withValues((pool) => transaction(pool, (tx) => discardLetters(tx, everything, choice, "cli")));
  report(discarded, ids, "is discarded", "are discarded");
}

function report(changed: string[], ids: string[], isOne: string, areMany: string): void {
  console.log(changed.length === 1 ? `1 letter ${isOne}.` : `${changed.length} letters ${areMany}.`);
  const others = ids.filter((id) => !changed.includes(id.toLowerCase()));
  if (others.length > 0) throw new Error(`No dead letter has the id ${others.join(", ")}.`);
}

/**
 * Returns which dead letters the command acts on: those with the given ids, or those that match the filter. Without ids, a filter or
 * `--all` is required, so that nobody changes all letters by mistake.
 */
function choiceIn({ texts, flags }: Arguments, ids: string[]): Choice {
  const filter = filterIn(texts);
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (ids.length > 0 && (isFiltered || flags.has("all")))
    throw new Error("Name ids, or give --kind, --graph, --since or --all, but not both.");
  if (ids.length > 0) return { ids };
  if (!isFiltered && !flags.has("all"))
    throw new Error("Name the ids of dead letters, or choose them with --kind, --graph, --since or --all.");
  return { filter };
}

function filterIn({ kind, graph, since }: Arguments["texts"]): Omit<LetterFilter, "state"> {
  const time = since === undefined ? undefined : new Date(since);
  if (time && Number.isNaN(time.getTime())) throw new Error(`--since is "${since}"; it should be a date such as 2026-01-31.`);
  return { graph, since: time, kind: kind === undefined ? undefined : one(LetterKind, "kind", kind) };
}

function one<Value extends string>(list: { options: Value[] }, name: string, given: string): Value {
  const found = list.options.find((option) => option === given);
  if (!found) throw new Error(`--${name} is "${given}"; it should be one of ${list.options.join(", ")}.`);
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`--edit is not JSON: ${text.slice(0, 100)}`);
  }
}
