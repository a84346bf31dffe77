import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

type Value = unknown;
type Values = Record<string, Value>;

/** The part of a template that a keyword begins: its branches, each with a condition, and their content. */
interface Block {
  keyword: string;
  branches: { head: string; body: Node[] }[];
}
type Node = string | { output: string } | Block;

/** The dot, the variables and the definitions while a template is rendered. */
interface Scope {
  dot: Value;
  root: Value;
  variables: Values;
  definitions: Map<string, Node[]>;
}

/**
 * Renders a chart's templates, with the small part of Go's template language that our chart uses. It is for machines without Helm. Throws
 * for every function and keyword that it does not know.
 */
export function renderChart(folder: string, values: Values, release = "agents", namespace = "default"): string {
  const chart = parse(readFileSync(join(folder, "Chart.yaml"), "utf8"));
  const defaults = parse(readFileSync(join(folder, "values.yaml"), "utf8"));
  const root = {
    Values: merge(defaults, values),
    Release: { Name: release, Namespace: namespace, Service: "Helm" },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
  };
  const scope: Scope = { dot: root, root, variables: {}, definitions: new Map() };
  const files = globSync("templates/*.{tpl,yaml}", { cwd: folder }).sort(); // the helpers come first, because of their underscore
  const rendered = files.map((file) => renderNodes(parseTemplate(readFileSync(join(folder, file), "utf8")), scope));
  return rendered.filter((_, index) => files[index]?.endsWith(".yaml")).join("\n---\n");
}

const isRecord = (value: Value): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);

const merge = (base: Values, over: Values): Values => ({
  ...base,
  ...Object.fromEntries(
    Object.entries(over).map(([key, value]) => [key, isRecord(value) && isRecord(base[key]) ? merge(base[key], value) : value]),
  ),
});

function parseTemplate(text: string): Node[] {
  const top: Node[] = [];
  const open: { nodes: Node[]; block?: Block }[] = [{ nodes: top }];
  const tokens = text
    .replace(/\s*\{\{- /g, "{{ ")
    .replace(/ -\}\}\s*/g, " }}")
    .split(/(\{\{.*?\}\})/s);
  for (const token of tokens) {
    const nodes = open.at(-1)?.nodes ?? top;
    const [, action] = /^\{\{\s*(.*?)\s*\}\}$/s.exec(token) ?? [];
    if (action === undefined) nodes.push(token);
    else if (action.startsWith("/*")) continue;
    else if (/^(if|with|range|define)\b/.test(action)) {
      const [keyword = "", ...head] = action.split(/\s+/);
      const block: Block = { keyword, branches: [{ head: head.join(" "), body: [] }] };
      nodes.push(block);
      open.push({ nodes: block.branches[0]?.body ?? [], block });
    } else if (action === "else") {
      const body: Node[] = [];
      open.at(-1)?.block?.branches.push({ head: "", body });
      open.push({ nodes: body, block: open.pop()?.block as Block });
    } else if (action === "end") open.pop();
    else nodes.push({ output: action });
  }
  if (open.length !== 1) throw new Error("A block of the template has no end.");
  return top;
}

const renderNodes = (nodes: Node[], scope: Scope): string => nodes.map((node) => renderNode(node, scope)).join("");

function renderNode(node: Node, scope: Scope): string {
  if (typeof node === "string") return node;
  if ("output" in node) return textOf(evaluate(node.output, scope));
  const [first, otherwise] = node.branches;
  const { head, body } = first ?? { head: "", body: [] };
  if (node.keyword === "define") {
    scope.definitions.set(JSON.parse(head), body);
    return "";
  }
  if (node.keyword === "range") return renderRange(head, body, scope);
  const value = evaluate(head, scope);
  if (isEmpty(value)) return renderNodes(otherwise?.body ?? [], scope);
  return renderNodes(body, node.keyword === "with" ? { ...scope, dot: value } : scope);
}

function renderRange(head: string, body: Node[], scope: Scope): string {
  const [, key = "", item = "", source = ""] = /^\$(\w+), \$(\w+) := (.*)$/.exec(head) ?? [];
  const entries = Object.entries(evaluate(source, scope) as Values).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries
    .map(([name, dot]) => renderNodes(body, { ...scope, dot, variables: { ...scope.variables, [key]: name, [item]: dot } }))
    .join("");
}

const isEmpty = (value: Value) =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === 0 ||
  value === false ||
  (typeof value === "object" && Object.keys(value).length === 0);
const textOf = (value: Value) => (value === undefined || value === null ? "" : String(value));
const indented = (text: string, spaces: number) => text.replace(/^/gm, " ".repeat(spaces));

/** The functions of the chart. The last argument is the value of the pipeline. */
const functions: Record<string, (scope: Scope, ...given: Value[]) => Value> = {
  include: (scope, name, dot) => renderNodes(scope.definitions.get(String(name)) ?? unknown(`template ${name}`), { ...scope, dot }),
  nindent: (_, spaces, text) => `\n${indented(textOf(text), Number(spaces))}`,
  toYaml: (_, value) => stringify(value).trimEnd(),
  quote: (_, value) => JSON.stringify(textOf(value)),
  default: (_, fallback, value) => (isEmpty(value) ? fallback : value),
  required: (_, message, value) => (value === undefined || value === "" ? unknown(String(message)) : value),
  sha256sum: (_, text) => createHash("sha256").update(textOf(text)).digest("hex"),
  add: (_, ...numbers) => numbers.reduce((sum: number, one) => sum + Number(one), 0),
  eq: (_, one, other) => one === other,
  not: (_, value) => isEmpty(value),
};

function unknown(sentence: string): never {
  throw new Error(sentence);
}

/** Evaluates a pipeline, such as `default "x" .Values.name | quote`. */
function evaluate(pipeline: string, scope: Scope): Value {
  const stages = [[]] as string[][];
  for (const [token] of pipeline.matchAll(/"(?:[^"\\]|\\.)*"|\([^()]*\)|\||[^\s|()]+/g)) {
    if (token === "|") stages.push([]);
    else stages.at(-1)?.push(token);
  }
  return stages.reduce<Value[]>((piped, [name = "", ...given]) => [call(name, given, piped, scope)], [])[0];
}

function call(name: string, given: string[], piped: Value[], scope: Scope): Value {
  if (/^[a-z]/i.test(name)) {
    const run = functions[name] ?? unknown(`The function ${name} is not known here.`);
    return run(scope, ...given.map((one) => operand(one, scope)), ...piped);
  }
  return operand(name, scope);
}

function operand(token: string, scope: Scope): Value {
  if (token.startsWith("(")) return evaluate(token.slice(1, -1), scope);
  if (/^["\d]/.test(token)) return JSON.parse(token);
  const [, base = "", path = ""] = /^(\$\w*)?(.*)$/.exec(token) ?? [];
  const start = base === "" ? scope.dot : base === "$" ? scope.root : scope.variables[base.slice(1)];
  return path
    .split(".")
    .filter(Boolean)
    .reduce<Value>((value, key) => (isRecord(value) ? value[key] : undefined), start);
}
