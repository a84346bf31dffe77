import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  aggregate,
  blackboard,
  bus,
  chooser,
  choreography,
  crew,
  debate,
  fanOut,
  flow,
  groupChat,
  hierarchy,
  mapReduce,
  mesh,
  panel,
  pipeline,
  planExecute,
  react,
  reflect,
  saga,
  scenario,
  stateMachine,
  supervisor,
  swarm,
  team,
  workEngine,
} from "../../graphs/index.ts";
import { defaultOf } from "../../src/cli/print-config.ts";
import { topicOf } from "../../src/http/document.ts";
import { ProjectFile } from "../../src/registry/project-file.ts";
import { settingTopics } from "../../src/settings.ts";
import { endpoints } from "../endpoints.ts";
import { root } from "./pages.ts";

/** Generates the text between the markers of a page. `UPDATE_DOCS=1` writes it. Without that variable, an outdated page fails. */
function expectGenerated(path: string, make: (now: string) => string): string {
  const file = `${root}docs/${path.includes("/") ? path : `reference/${path}`}`;
  const page = existsSync(file) ? readFileSync(file, "utf8") : "";
  const [, before, now, after] = /^(.*<!-- generated -->\n)(.*)(<!-- \/generated -->.*)$/s.exec(page) ?? [];
  if (before === undefined || now === undefined || after === undefined) throw new Error(`${path} has no <!-- generated --> part.`);
  const made = make(now);
  if (process.env.UPDATE_DOCS) writeFileSync(file, before + made + after);
  else expect(now).toBe(made);
  return made;
}

const cell = (text: string) => text.replaceAll("|", "\\|");
const row = (...cells: string[]) => `| ${cells.join(" | ")} |`;

test("configuration.md has every variable, with its default and its description", () => {
  expectGenerated("configuration.md", () =>
    Object.entries(settingTopics)
      .map(([topic, settings]) => {
        const rows = Object.entries(settings).map(([name, schema]) => {
          const value = defaultOf(schema);
          return row(`\`${name}\``, value === "-" ? "" : `\`${value}\``, cell(schema.description ?? ""));
        });
        return `## ${topic}\n\n${row("Variable", "Default", "Purpose")}\n|---|---|---|\n${rows.join("\n")}\n\n`;
      })
      .join(""),
  );
});

interface Key {
  type?: string | string[] | undefined;
  description?: string;
  enum?: string[];
  anyOf?: Key[];
  items?: Key;
  properties?: Record<string, Key>;
  additionalProperties?: Key | boolean;
}

/** Returns a schema without the null that a key may also have. */
function withoutNull(key: Key): Key {
  if (Array.isArray(key.type)) return { ...key, type: key.type.find((type) => type !== "null") };
  const [value, ...others] = key.anyOf?.filter(({ type }) => type !== "null") ?? [];
  return value !== undefined && others.length === 0 ? { ...value, ...(key.description && { description: key.description }) } : key;
}

function typeOf(key: Key): string {
  if (key.enum) return key.enum.map((value) => `\`${value}\``).join(" or ");
  if (key.anyOf) return [...new Set(key.anyOf.map(typeOf))].join(" or ");
  if (key.type === "array") return `list of ${typeOf(key.items ?? {})}s`;
  return String(key.type ?? "anything");
}

/** Returns a row for each key, with the keys inside it behind it. */
function keyRows(path: string, given: Key): string[] {
  const key = withoutNull(given);
  expect(key.description, `${path} needs a .describe()`).toBeDefined();
  return [row(`\`${path}\``, typeOf(key), cell(key.description ?? "")), ...keysInside(path, key)];
}

function keysInside(path: string, key: Key): string[] {
  const entries = typeof key.additionalProperties === "object" ? (key.additionalProperties.anyOf ?? []).map(withoutNull) : [];
  return [
    ...Object.entries(key.properties ?? {}).flatMap(([name, inside]) => keyRows(`${path}.${name}`, inside)),
    ...entries.flatMap((entry) => keysInside(`${path}.<id>`, entry)),
  ];
}

test("langgraph-json.md has every key that is read", () => {
  const schema = z.toJSONSchema(ProjectFile, { io: "input", unrepresentable: "any" }) as Key;
  expectGenerated("langgraph-json.md", () =>
    Object.entries(schema.properties ?? {})
      .map(([name, key]) => `## ${name}\n\n${row("Key", "Type", "Purpose")}\n|---|---|---|\n${keyRows(name, key).join("\n")}\n\n`)
      .join(""),
  );
});

/** The text in the table for an endpoint without a description. While it is there, the test fails. */
const undescribed = "(describe this endpoint)";
const topics = [
  "assistants",
  "threads",
  "interrupts",
  "runs",
  "crons",
  "store",
  "feedback",
  "webhooks",
  "dead-letters",
  "plans",
  "agent-to-agent",
  "openai",
  "service",
];
/** The headings of topics whose names are not plain words. */
const titles: Record<string, string> = { openai: "OpenAI" };

test("api.md describes every endpoint that is served", () => {
  const made = expectGenerated("api.md", (now) => {
    const written = new Map([...now.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, endpoint = "", cells = ""]) => [endpoint, cells]));
    return topics
      .map((topic) => {
        const rows = Object.keys(endpoints)
          .filter((endpoint) => topicOf(endpoint) === topic)
          .map((endpoint) => row(`\`${endpoint}\``, written.get(endpoint) ?? `${undescribed} | `));
        const title = titles[topic] ?? (topic.charAt(0).toUpperCase() + topic.slice(1)).replaceAll("-", " ");
        return `### ${title}\n\n${row("Endpoint", "Purpose", "Difference from the official servers")}\n|---|---|---|\n${rows.join("\n")}\n\n`;
      })
      .join("");
  });
  expect(made).not.toContain(undescribed);
});

const patterns = {
  supervisor,
  hierarchy,
  crew,
  "group-chat": groupChat,
  swarm,
  chooser,
  panel,
  debate,
  team,
  react,
  "plan-execute": planExecute,
  reflect,
  scenario,
  aggregator: aggregate,
  pipeline,
  "fan-out": fanOut,
  "map-reduce": mapReduce,
  saga,
  "work-engine": workEngine,
  blackboard,
  choreography,
  bus,
  mesh,
  "state-machine": stateMachine,
  flow: () => flow().compile(),
};

test.each(Object.entries(patterns))("patterns/%s.md has the drawing of its graph", async (name, pattern) => {
  const { nodes, edges } = await pattern().getGraphAsync();
  const ids = Object.keys(nodes).filter((id) => edges.some(({ source, target }) => source === id || target === id));
  const labelled = (id: string) => (id.startsWith("__") ? `${id.replaceAll("_", "")}_([${id.replaceAll("_", "")}])` : `${id}(${id})`);
  const lines = edges.map(({ source, target, conditional }) => `  ${idOf(source)} ${conditional ? "-.->" : "-->"} ${idOf(target)}`);
  const declared = ids.map((id) => `  ${labelled(id)}`);
  expectGenerated(`patterns/${name}.md`, () => `\n\`\`\`mermaid\ngraph TD\n${[...declared, ...lines].join("\n")}\n\`\`\`\n\n`);
});

/** Returns the id of a node in a drawing. Mermaid reserves the word end. */
const idOf = (id: string) => (id.startsWith("__") ? `${id.replaceAll("_", "")}_` : id);
