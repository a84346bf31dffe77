import { clausesIn, comesAfter, namesSomething } from "./clauses.ts";
import { expressionsIn, urlsIn } from "./extract.ts";
import { fillSchema } from "./fill.ts";
import type { Schema } from "./json-schema.ts";
import type { Material } from "./material.ts";
import type { ChatRequest, Message, Tool } from "./request.ts";
import { best, overlap, wordsOf } from "./words.ts";

export interface Call {
  name: string;
  arguments: string;
}

interface Want {
  tool: Tool;
  clause: string;
}

/** Below this a tool has too little in common with a task to be meant. */
const enough = 2;

/** The tools that the task needs and that were not called for it yet. None, and the task is to be answered. */
export function callsFor(request: ChatRequest, material: Material, turn: Message[]): Call[] {
  const tools = (request.tools ?? []).map((tool) => tool.function);
  const choice = request.tool_choice ?? "auto";
  if (tools.length === 0 || choice === "none") return [];
  const called = turn.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => call.function.name);
  const offered = typeof choice === "object" ? tools.filter(({ name }) => name === choice.function.name) : tools;
  const due = dueNow(remaining(wantsOf(offered, material.task), called));
  const wants = due.length > 0 || choice === "auto" ? due : [{ tool: leastCalled(offered, called, material), clause: material.task }];
  const found = turn.filter(({ role }) => role === "tool").map(({ content }) => content.slice(0, 1_000));
  const several = request.parallel_tool_calls === false || typeof choice === "object" ? wants.slice(0, 1) : wants;
  return several.map(({ tool, clause }) => ({
    name: tool.name,
    arguments: argumentsFor(tool, comesAfter(clause) ? [clause, ...found].join(": ") : clause, material),
  }));
}

function argumentsFor({ parameters }: Tool, clause: string, material: Material): string {
  return JSON.stringify(fillSchema((parameters ?? { type: "object" }) as Schema, material, clause, true));
}

/** Which tool each part of the task needs. A part without one belongs to its neighbour, unless it names another thing to do the same for. */
function wantsOf(tools: Tool[], task: string): Want[] {
  const wants: Want[] = [];
  let unclaimed = "";
  for (const clause of clausesIn(task)) {
    const tool = fittingTool(tools, clause);
    const last = wants.at(-1);
    if (tool) {
      wants.push({ tool, clause: `${unclaimed}${clause}` });
      unclaimed = "";
    } else if (last && namesSomething(clause) && namesSomething(last.clause) && !comesAfter(clause))
      wants.push({ tool: last.tool, clause });
    else if (last) last.clause += ` and ${clause}`;
    else unclaimed += `${clause} `;
  }
  if (wants.length > 0) return merged(wants);
  const tool = fittingTool(tools, task);
  return tool ? [{ tool, clause: task }] : [];
}

/** Two parts that need the same tool for nothing different are one. */
function merged(wants: Want[]): Want[] {
  const isDistinct = ({ clause }: Want) => namesSomething(clause) || expressionsIn(clause).length > 0 || urlsIn(clause).length > 0;
  return wants.filter((want, index) => isDistinct(want) || wants.findIndex(({ tool }) => tool === want.tool) === index);
}

function fittingTool(tools: Tool[], text: string): Tool | undefined {
  const words = new Set([...wordsOf(text), ...impliedBy(text)]);
  const tool = best(tools, (candidate) => affinity(candidate, words));
  return tool && affinity(tool, words) >= enough ? tool : undefined;
}

function affinity({ name, description, parameters }: Tool, words: ReadonlySet<string>): number {
  const inputs = Object.entries(Object(parameters?.properties)).map(([key, input]) => `${key} ${Object(input).description ?? ""}`);
  return 3 * overlap(wordsOf(name), words) + 2 * overlap(wordsOf(description ?? ""), words) + overlap(wordsOf(inputs.join(" ")), words);
}

/** What a task is about without saying so. */
function impliedBy(text: string): string[] {
  const arithmetic = expressionsIn(text).length > 0 ? "calculation arithmetic expression mathematics math compute evaluate" : "";
  const web = urlsIn(text).length > 0 ? "url web http website link" : "";
  const time = /\bwhat (?:time|day|date)\b|\btoday\b|\bright now\b/i.test(text) ? "time date clock today" : "";
  return wordsOf(`${arithmetic} ${web} ${time}`);
}

/** Each part of the task gets its tool once. */
function remaining(wants: Want[], called: string[]): Want[] {
  const done = [...called];
  return wants.filter(({ tool }) => {
    const at = done.indexOf(tool.name);
    if (at >= 0) done.splice(at, 1);
    return at < 0;
  });
}

/** What can be called at once: up to the first part that waits for the ones before it. */
function dueNow(wants: Want[]): Want[] {
  const waiting = wants.findIndex(({ clause }, index) => index > 0 && comesAfter(clause));
  return waiting < 0 ? wants : wants.slice(0, waiting);
}

/** When a tool must be called: one that was not, of those the closest to the task. */
function leastCalled(tools: Tool[], called: string[], { task }: Material): Tool {
  const words = new Set([...wordsOf(task), ...impliedBy(task)]);
  const timesCalled = ({ name }: Tool) => called.filter((other) => other === name).length;
  return best(tools, (tool) => affinity(tool, words) - 1_000 * timesCalled(tool)) as Tool;
}
