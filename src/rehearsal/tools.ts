import { expressionsIn, namesIn, quotedIn, urlsIn } from "./extract.ts";
import { fillSchema } from "./fill.ts";
import type { Schema } from "./json-schema.ts";
import type { Material } from "./material.ts";
import type { ChatRequest, Message, Tool } from "./request.ts";
import { best, overlap, wordsOf } from "./words.ts";

export interface Call {
  name: string;
  arguments: string;
}

interface NeededCall {
  tool: Tool;
  clause: string;
}

/** The score below which a tool has too little in common with a task. */
const minimumScore = 2;

/** Returns the calls that the task needs and that were not made yet. When there are none, the model answers the task. */
export function callsFor(request: ChatRequest, material: Material, turn: Message[]): Call[] {
  const tools = (request.tools ?? []).map((tool) => tool.function);
  const choice = request.tool_choice ?? "auto";
  if (tools.length === 0 || choice === "none") return [];
  const called = turn.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => call.function.name);
  const offered = typeof choice === "object" ? tools.filter(({ name }) => name === choice.function.name) : tools;
  const due = dueNow(remaining(neededCalls(offered, material.task), called));
  const needed = due.length > 0 || choice === "auto" ? due : [{ tool: leastCalled(offered, called, material), clause: material.task }];
  const found = turn.filter(({ role }) => role === "tool").map(({ content }) => content.slice(0, 1_000));
  const several = request.parallel_tool_calls === false || typeof choice === "object" ? needed.slice(0, 1) : needed;
  return several.map(({ tool, clause }) => ({
    name: tool.name,
    arguments: argumentsFor(tool, comesAfter(clause) ? [clause, ...found].join(": ") : clause, material),
  }));
}

function argumentsFor({ parameters }: Tool, clause: string, material: Material): string {
  return JSON.stringify(fillSchema((parameters ?? { type: "object" }) as Schema, material, clause, true));
}

/**
 * Returns the tool for each part of the task. A part without a tool joins its neighbour, unless it names another thing for the same tool.
 */
function neededCalls(tools: Tool[], task: string): NeededCall[] {
  const needed: NeededCall[] = [];
  let unclaimed = "";
  for (const clause of clausesIn(task)) {
    const tool = fittingTool(tools, clause);
    const last = needed.at(-1);
    if (tool) {
      needed.push({ tool, clause: `${unclaimed}${clause}` });
      unclaimed = "";
    } else if (last && namesSomething(clause) && namesSomething(last.clause) && !comesAfter(clause))
      needed.push({ tool: last.tool, clause });
    else if (last) last.clause += ` and ${clause}`;
    else unclaimed += `${clause} `;
  }
  if (needed.length > 0) return merged(needed);
  const tool = fittingTool(tools, task);
  return tool ? [{ tool, clause: task }] : [];
}

/** Merges parts that need the same tool without a difference. */
function merged(needed: NeededCall[]): NeededCall[] {
  const isDistinct = ({ clause }: NeededCall) => namesSomething(clause) || expressionsIn(clause).length > 0 || urlsIn(clause).length > 0;
  return needed.filter((call, index) => isDistinct(call) || needed.findIndex(({ tool }) => tool === call.tool) === index);
}

function fittingTool(tools: Tool[], text: string): Tool | undefined {
  const words = new Set([...wordsOf(text), ...impliedBy(text)]);
  const tool = best(tools, (candidate) => affinity(candidate, words));
  return tool && affinity(tool, words) >= minimumScore ? tool : undefined;
}

function affinity({ name, description, parameters }: Tool, words: ReadonlySet<string>): number {
  const inputs = Object.entries(Object(parameters?.properties)).map(([key, input]) => `${key} ${Object(input).description ?? ""}`);
  return 3 * overlap(wordsOf(name), words) + 2 * overlap(wordsOf(description ?? ""), words) + overlap(wordsOf(inputs.join(" ")), words);
}

/** Returns words that a task implies. */
function impliedBy(text: string): string[] {
  const arithmetic = expressionsIn(text).length > 0 ? "calculation arithmetic expression mathematics math compute evaluate" : "";
  const web = urlsIn(text).length > 0 ? "url web http website link" : "";
  const time = /\bwhat (?:time|day|date)\b|\btoday\b|\bright now\b/i.test(text) ? "time date clock today" : "";
  return wordsOf(`${arithmetic} ${web} ${time}`);
}

/** Returns the parts whose tool was not called yet. Each part gets its tool once. */
function remaining(needed: NeededCall[], called: string[]): NeededCall[] {
  const done = [...called];
  return needed.filter(({ tool }) => {
    const at = done.indexOf(tool.name);
    if (at >= 0) done.splice(at, 1);
    return at < 0;
  });
}

/** Returns the calls that can be made at once: up to the first part that depends on earlier ones. */
function dueNow(needed: NeededCall[]): NeededCall[] {
  const waiting = needed.findIndex(({ clause }, index) => index > 0 && comesAfter(clause));
  return waiting < 0 ? needed : needed.slice(0, waiting);
}

/** Returns the tool to call when one is required: the least called, and of those the closest to the task. */
function leastCalled(tools: Tool[], called: string[], { task }: Material): Tool {
  const words = new Set([...wordsOf(task), ...impliedBy(task)]);
  const timesCalled = ({ name }: Tool) => called.filter((other) => other === name).length;
  return best(tools, (tool) => affinity(tool, words) - 1_000 * timesCalled(tool)) as Tool;
}

/** Returns the parts of a task that may each need their own tool. Quotations stay whole. */
function clausesIn(task: string): string[] {
  const quotes: string[] = [];
  const masked = task.replace(/"[^"\n]*"|“[^”\n]*”|`[^`\n]*`/g, (quote) => `\uE000${quotes.push(quote) - 1}\uE000`);
  const restore = (text: string) => text.replace(/\uE000(\d+)\uE000/g, (_, index) => quotes[Number(index)] ?? "");
  return masked
    .split(/(?<=[.!?;])\s+|\n+|,\s+(?!\d)|,?\s+(?=(?:and then|then|finally|afterwards|after that)\b)|\s+(?:and|as well as)\s+/)
    .map((clause) => restore(clause.trim()))
    .filter((clause) => /[\p{L}\p{N}]/u.test(clause));
}

/** Tells whether a clause has its own subject, a name or a quotation. */
const namesSomething = (clause: string): boolean => namesIn(`of ${clause}`).length > 0 || quotedIn(clause).length > 0;

/** Tells whether a clause depends on the one before it. */
const comesAfter = (clause: string): boolean =>
  /^(?:and )?(?:then|finally|afterwards|after that)\b|\b(?:the result|the answer|the outcome|it|that|them)\s*[.!?]?$/i.test(clause);
