import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@langchain/langgraph-sdk";
import type { Arguments } from "../arguments.ts";
import { safeJson } from "../terminal/clean.ts";
import { withService } from "../terminal/connection.ts";
import { outline } from "../terminal/outline.ts";
import { openScreen, type Screen } from "../terminal/screen.ts";
import { listenForLeave } from "../terminal/session.ts";
import { showTable } from "../terminal/table.ts";
import { nameOf, skillStats, type WorkItem, workItems } from "./work-items.ts";

const lookMs = 1_000;

interface Asked {
  client: Client;
  args: Arguments;
  screen: Screen;
  /** The argument after the action: a project, or the key of a work item. Undefined if there is none. */
  name: string | undefined;
}

const actions: Record<string, (asked: Asked) => Promise<void>> = { list, show, tail, graph, hooks, stats };

/** Runs `ensemble work <action>`, which shows the work items of the pattern `work-engine`. */
export async function work(args: Arguments): Promise<void> {
  const [action = "list", name] = args.words;
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!run) throw new Error(`"work" does not take "${action}". It takes ${Object.keys(actions).join(", ")}.`);
  await withService(args, ({ client }) => run({ client, args, screen: openScreen(process.stdout), name }));
}

async function list({ client, args, screen, name }: Asked): Promise<void> {
  const items = await workItems(client, name);
  if (args.flags.has("json")) return printJson(items);
  if (items.length === 0) return console.log(name ? `Project ${name} has no work items.` : "No work items.");
  const rows = items.map((item) => [nameOf(item), item.status, item.skill, timeOf(item.events.at(-1)?.at), item.goal]);
  showTable(screen, ["item", "status", "skill", "last event", "goal"], rows);
}

async function show({ client, args, screen, name }: Asked): Promise<void> {
  const items = (await workItems(client)).filter((item) => name !== undefined && [item.key, nameOf(item)].includes(name));
  const [item, another] = items;
  if (!item) throw new Error(name === undefined ? "Name the work item to show." : `There is no work item ${name}.`);
  if (another) throw new Error(`Several projects have ${name}: ${items.map(nameOf).join(", ")}. Name the project too.`);
  if (args.flags.has("json")) return printJson(item);
  const { events, project: _project, key: _key, ...facts } = item;
  screen.line(["bold", nameOf(item)]);
  screen.text(`${outline(facts)}\n`);
  for (const { at, event } of events) screen.line(["dim", timeOf(at)], ` ${event}`);
}

/** Shows the newest events of the work items, and then each new event until the person leaves. */
async function tail({ client, args, screen, name }: Asked): Promise<void> {
  const limit = Number(args.texts.limit ?? 10);
  if (!Number.isInteger(limit) || limit < 0) throw new Error(`--limit is "${args.texts.limit}"; it should be a number from 0 on.`);
  const leaving = listenForLeave();
  const shown = new Map<string, number>();
  for (let isFirst = true; !leaving.aborted; isFirst = false) {
    const fresh = newEvents(await workItems(client, name), shown);
    for (const { at, item, event } of isFirst ? fresh.slice(Math.max(0, fresh.length - limit)) : fresh) {
      if (args.flags.has("json")) printJson({ at, item, event });
      else screen.line(["dim", timeOf(at)], ` ${item}  ${event}`);
    }
    await sleep(lookMs, undefined, { signal: leaving }).catch(() => {});
  }
}

/** Returns the events that were not shown before, oldest first. Also updates `shown`, the number of shown events of each work item. */
function newEvents(items: WorkItem[], shown: Map<string, number>) {
  const fresh = items.flatMap((item) =>
    item.events.slice(countIn(item, shown)).map(({ at, event }) => ({ at, event, item: nameOf(item) })),
  );
  for (const item of items) shown.set(nameOf(item), item.events.length);
  return fresh.toSorted((one, other) => one.at.localeCompare(other.at));
}

/**
 * Returns how many events of a work item were shown. Returns 0 if a new run has begun the work item again, because the item then has a new,
 * shorter list of events.
 */
function countIn(item: WorkItem, shown: Map<string, number>): number {
  const count = shown.get(nameOf(item)) ?? 0;
  return count > item.events.length ? 0 : count;
}

/** Prints the dependencies between work items as a Mermaid diagram, which Markdown pages can show. */
async function graph({ client, args, name }: Asked): Promise<void> {
  const items = await workItems(client, name);
  if (args.flags.has("json"))
    return printJson(items.map((item) => ({ item: nameOf(item), status: item.status, dependsOn: item.dependsOn })));
  if (items.length === 0) return console.log("No work items.");
  const ids = new Map(items.map((item, index) => [nameOf(item), `item${index}`]));
  const nodes = items.map((item) => `  ${ids.get(nameOf(item))}["${labelOf(item)}"]`);
  const edges = items.flatMap((item) =>
    item.dependsOn.flatMap((key) =>
      ids.has(`${item.project}/${key}`) ? `  ${ids.get(`${item.project}/${key}`)} --> ${ids.get(nameOf(item))}` : [],
    ),
  );
  console.log(["graph TD", ...nodes, ...edges].join("\n"));
}

const labelOf = (item: WorkItem) => `${nameOf(item)}: ${item.status}, ${item.skill}`.replace(/["[\]{}<>\n]/g, " ");

/** Shows the last event of each work item that has ended, and the lessons that the work item produced. */
async function hooks({ client, args, screen, name }: Asked): Promise<void> {
  const ended = (await workItems(client, name)).filter(({ status }) => status === "done" || status === "failed");
  const since = args.texts.since === undefined ? undefined : new Date(args.texts.since);
  if (since && Number.isNaN(since.getTime())) throw new Error(`--since is "${args.texts.since}"; it should be a date such as 2026-01-31.`);
  const told = ended.filter(({ events }) => !since || new Date(events.at(-1)?.at ?? 0) >= since);
  const rows = told.map((item) => ({ item: nameOf(item), skill: item.skill, ...lastOf(item), lessons: item.findings }));
  if (args.flags.has("json")) return printJson(rows);
  if (rows.length === 0) return console.log("No stage has ended.");
  const cells = rows.map(({ item, skill, at, event, lessons }) => [item, skill, timeOf(at), event, lessons.join(" | ")]);
  showTable(screen, ["item", "skill", "at", "gate", "lessons"], cells);
}

const lastOf = ({ events }: WorkItem) => events.at(-1) ?? { at: "", event: "" };

async function stats({ client, args, screen }: Asked): Promise<void> {
  const skills = await skillStats(client);
  if (args.flags.has("json")) return printJson(skills);
  if (skills.length === 0) return console.log("No skill has worked yet.");
  const rows = skills.map(({ skill, stages, failures, quality, lessons, repair }) => [
    ...[skill, String(stages), `${stages === 0 ? 0 : Math.round((100 * failures) / stages)} %`],
    ...[quality === null ? "-" : quality.toFixed(2), String(lessons), repair ?? "-"],
  ]);
  showTable(screen, ["skill", "stages", "failed", "quality", "lessons", "needs repair"], rows);
}

const timeOf = (at = "") => at.replace("T", " ").slice(0, 19);

const printJson = (value: unknown): void => console.log(safeJson(value));
