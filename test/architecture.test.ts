import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** The folders of src/ that each folder may import. A file directly in src/ counts as a folder. */
const mayImport: Record<string, string[]> = {
  db: [],
  errors: [],
  version: [],
  settings: [],
  config: ["settings"],
  log: ["config"],
  auth: ["db", "errors"],
  events: ["db"],
  encryption: ["db"],
  threads: ["db", "errors"],
  usage: ["db", "errors"],
  assistants: ["db", "errors", "usage"],
  checkpoints: ["db", "errors"],
  effects: ["db"],
  resources: ["db"],
  cache: ["db", "checkpoints"],
  store: ["db", "errors"],
  webhooks: ["db"],
  letters: ["db", "errors", "webhooks"],
  runs: ["auth", "db", "errors", "events", "threads", "assistants", "checkpoints", "letters", "usage", "webhooks"],
  crons: ["auth", "db", "errors", "letters", "runs", "threads", "assistants"],
  plans: ["db", "errors"],
  feedback: ["db", "errors", "runs"],
  stats: ["db"],
  redrives: ["auth", "db", "errors", "crons", "letters", "runs", "threads"],
  streaming: ["db", "events", "runs"],
  registry: ["patches", "resources", "runs", "usage"],
  rehearsal: [],
  sdk: [],
  /** Fixes for libraries. Each is needed until a release of the library contains the fix. */
  patches: [],
  tracing: [],
  metrics: ["db", "letters", "resources", "runs", "stats"],
  ui: [],
  /** The web console, which runs in browsers and knows only the API. */
  console: [],
  state: ["auth", "db", "errors", "registry", "checkpoints", "threads"],
  retention: ["db", "cache", "feedback", "letters", "plans", "stats", "store", "runs", "threads", "checkpoints", "usage", "webhooks"],
  worker: [
    "auth",
    "db",
    "encryption",
    "cache",
    "store",
    "retention",
    "runs",
    "crons",
    "threads",
    "events",
    "streaming",
    "checkpoints",
    "effects",
    "feedback",
    "resources",
    "letters",
    "redrives",
    "metrics",
    "patches",
    "registry",
    "tracing",
    "state",
    "usage",
    "stats",
    "webhooks",
  ],
  http: [
    "auth",
    "db",
    "encryption",
    "errors",
    "runs",
    "crons",
    "threads",
    "assistants",
    "events",
    "feedback",
    "letters",
    "plans",
    "streaming",
    "checkpoints",
    "metrics",
    "registry",
    "resources",
    "tracing",
    "retention",
    "state",
    "stats",
    "store",
    "ui",
    "usage",
    "webhooks",
  ],
  /** The steps of a start, which main calls, and the settings and the address of a service, which the commands and the plugin share. */
  startup: ["*"],
  main: ["*"],
  /** The service as a plugin of another Fastify app. It calls main, as the command does. */
  embedding: ["config", "http", "log", "main", "sdk", "startup"],
  cli: ["*"],
  index: ["*"],
};

interface Import {
  from: string;
  to: string;
}

const room = (path: string) => (path.includes("/") ? (path.split("/")[0] ?? "") : path.replace(/\.ts$/, ""));

function importsOf(folder: string): Import[] {
  return globSync("**/*.{ts,tsx}", { cwd: folder }).flatMap((from) => {
    const text = readFileSync(join(folder, from), "utf8");
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] ?? "");
    return specifiers.map((to) => ({ from, to: to.startsWith(".") ? normalize(join(dirname(from), to)) : to }));
  });
}

const imports = importsOf("src").filter(({ to }) => /\.tsx?$/.test(to));

test("every room is in the table", () => {
  const rooms = new Set(globSync("**/*.ts", { cwd: "src" }).map(room));
  expect([...rooms].filter((name) => !(name in mayImport))).toEqual([]);
});

test("the page about the architecture has every room of src/", () => {
  const page = readFileSync("docs/architecture.md", "utf8");
  const folders = Object.keys(mayImport).filter((name) => globSync(`src/${name}/`).length > 0);
  expect(folders.filter((name) => !page.includes(`\`${name}/\``))).toEqual([]);
});

test("routes get the scope of what they may see from a decision, and in no other way", () => {
  const deciding = "http/admission/access.ts";
  const users = globSync("http/**/*.ts", { cwd: "src" }).filter((file) =>
    /import .*\beverything\b.* from/.test(readFileSync(join("src", file), "utf8")),
  );
  expect(users).toEqual([deciding]);
});

test("runs are made in one place", () => {
  const makers = globSync("**/*.ts", { cwd: "src" }).filter((file) =>
    /import \{[^}]*\bcreateRun\b/.test(readFileSync(join("src", file), "utf8")),
  );
  expect(makers).toEqual(["runs/submit.ts"]);
});

test("rooms import each other in one direction only, as the table says", () => {
  const forbidden = imports.filter(({ from, to }) => {
    const allowed = mayImport[room(from)] ?? [];
    return room(from) !== room(to) && !allowed.includes("*") && !allowed.includes(room(to));
  });
  expect(forbidden).toEqual([]);
});

test("no file imports itself around a corner", () => {
  const graph = Map.groupBy(imports, ({ from }) => from);
  const cycles: string[][] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
    else if (!done.has(file)) for (const { to } of graph.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  const done = new Set<string>();
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test("graphs know the package by its name at most", () => {
  expect(importsOf("graphs").filter(({ to }) => to.includes("src/"))).toEqual([]);
});

test("graphs load only LangChain's packages and zod at once, and other packages at their first use", () => {
  const loaded = globSync("**/*.ts", { cwd: "graphs" }).flatMap((file) =>
    [...readFileSync(join("graphs", file), "utf8").matchAll(/^import (?!type )(?:[^"]* from )?"([^".][^"]*)"/gm)].map(([, name]) => name),
  );
  expect(
    loaded.filter((name) => !/^(node:|@langchain\/(core|langgraph)(\/|$)|langchain(\/|$)|ensemble\/patterns$|zod$)/.test(name ?? "")),
  ).toEqual([]);
});

test("the addresses that webhooks may not reach are those that graphs may not fetch", () => {
  const codeOf = (file: string) => readFileSync(file, "utf8").replace(/^\/\/ .*\n\n/m, "");
  expect(codeOf("graphs/agent/inside.ts")).toBe(codeOf("src/webhooks/inside.ts"));
});

test("only config.ts reads the environment", () => {
  const readers = globSync("**/*.ts", { cwd: "src" }).filter((file) => readFileSync(join("src", file), "utf8").includes("process.env"));
  expect(readers.filter((file) => file !== "config.ts" && !/^(cli|console)\//.test(file))).toEqual([]);
});
