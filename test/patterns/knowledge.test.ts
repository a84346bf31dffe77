import { mkdtemp, realpath, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InMemoryStore } from "@langchain/langgraph";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { agent, pipeline } from "../../graphs/index.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { collect } from "../sse.ts";
import { makePdf } from "./pdf.ts";

const folder = await realpath(await mkdtemp(join(tmpdir(), "ensemble-knowledge-")));
const outside = await realpath(await mkdtemp(join(tmpdir(), "ensemble-outside-")));
let page = "<p>Rivers bend because water is faster outside.</p>";
const site = createServer((_, response) => void response.writeHead(200, { "content-type": "text/html" }).end(page));
await new Promise<void>((listening) => void site.listen(0, "127.0.0.1", listening));
afterAll(() => void site.close());
const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;

const model = await startModelServer();
const settings = {
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  ENSEMBLE_PATTERN_DIRECTORIES: folder,
  ENSEMBLE_PATTERN_HOSTS: host,
};
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const config = fileURLToPath(new URL("./knowing/langgraph.json", import.meta.url));
const { client } = await startTestService({ ENSEMBLE_CONFIG: config, ...settings });

const count = globalThis as { embedded?: string[] };
beforeEach(() => {
  model.script({ tokens: ["Done."] });
  count.embedded = [];
});

interface Values {
  status: string;
  error: string | null;
  messages: { content: string }[];
}
const stages = [{ name: "one", do: { agent: "scholar", task: "why do rivers bend" } }];
const payload = (knowledge: object[], more: object = {}) => ({
  input: { task: "Ask", stages },
  context: { agents: [{ name: "scholar", role: "a scholar", knowledge, ...more }] },
});
const run = (knowledge: object[], more: object = {}) =>
  client.runs.wait(null, "pipeline", payload(knowledge, more)) as Promise<unknown> as Promise<Values>;
const asked = (request = 0) => String(model.requests[request]?.messages.at(-1)?.content);
const chunksIn = () => (count.embedded ?? []).filter((text) => !text.startsWith("why do rivers bend"));

const rivers = "Why do rivers bend? Water is faster outside.";
const trains = "Trains run on rails and stop at stations.";

test("passages that fit the task go before it, with their source", async () => {
  await run([{ text: rivers, name: "geography" }, { text: trains }]);
  expect(asked()).toMatch(/^Knowledge that may help:\n\[geography\]\nWhy do rivers bend\?.*\n\nTask: why do rivers bend/s);
  expect(asked()).not.toContain("Trains");
});

test("a threshold that excludes all leaves the task as it is, and the best passages are at most the limit", async () => {
  await run([{ text: rivers }], { scoreThreshold: 1 });
  expect(asked()).toMatch(/^Task: why/);
  const texts = [1, 2, 3, 4, 5].map((n) => ({ text: `${rivers} ${"more ".repeat(n)}` }));
  await run(texts);
  expect(asked(1).match(/\[text\]/g)).toHaveLength(3);
  await run(texts, { resultsLimit: 1 });
  expect(asked(2).match(/\[text\]/g)).toHaveLength(1);
});

test("a text is embedded once, in chunks of at most 1,000 characters", async () => {
  const long = Array.from({ length: 60 }, (_, index) => `Sentence ${index} tells why rivers bend and more about it.`).join(" ");
  await run([{ text: long }]);
  const chunks = chunksIn();
  expect(chunks.length).toBeGreaterThan(3);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  expect(chunks.join(" ")).toBe(long);
  await run([{ text: long }]);
  expect(chunksIn()).toHaveLength(chunks.length);
});

test("a file is embedded once, and anew when it has changed", async () => {
  await writeFile(join(folder, "rivers.txt"), "Old: why rivers bend.");
  await run([{ file: "rivers.txt" }]);
  await run([{ file: "rivers.txt" }]);
  expect(chunksIn()).toEqual(["Old: why rivers bend."]);
  await writeFile(join(folder, "rivers.txt"), "New: why do rivers bend.");
  await run([{ file: "rivers.txt" }]);
  expect(chunksIn()).toEqual(["Old: why rivers bend.", "New: why do rivers bend."]);
  expect(asked(2)).toContain("[rivers.txt]\nNew");
  expect(asked(2)).not.toContain("Old");
});

test("a PDF is read, and one without text says so", async () => {
  await writeFile(join(folder, "rivers.pdf"), makePdf("Rivers bend: why do they do it"));
  await writeFile(join(folder, "scan.pdf"), makePdf());
  await run([{ pdf: "rivers.pdf" }]);
  expect(asked()).toContain("[rivers.pdf]\nRivers bend: why do they do it");
  const { status, error } = await run([{ pdf: "scan.pdf" }]);
  expect({ status, error }).toMatchObject({
    status: "stopped",
    error: expect.stringContaining('"scan.pdf" cannot be read: the PDF has no text'),
  });
});

test("a page is read through the guard against internal addresses", async () => {
  await run([{ page: `http://${host}/rivers` }], { scoreThreshold: 0.1 });
  expect(asked()).toContain("Rivers bend because water is faster outside.");
  page = "<p>Why do rivers bend? Nobody knows.</p>";
  await run([{ page: `http://${host}/rivers` }]);
  expect(asked(1)).toContain("Nobody knows.");
  const { error } = await run([{ page: "http://169.254.169.254/latest" }]);
  expect(error).toContain("is inside our own network");
});

test("items of the store are knowledge, below the namespace that data may name", async () => {
  await client.store.putItem(["knowledge", "geo"], "bends", { text: rivers });
  await client.store.putItem(["memories", "somebody"], "secret", { text: rivers });
  await run([{ store: ["knowledge", "geo"] }]);
  expect(asked()).toContain("[knowledge/geo/bends]");
  await expect(run([{ store: ["memories", "somebody"] }])).rejects.toThrow(
    /HTTP 422.*agents\[0\]\.knowledge\[0\]\.store: in data, the namespace must begin with/s,
  );
});

test.each([["/etc/passwd"], ["../secret.txt"], [join(outside, "a.txt")]])("data may not name the file %s", async (file) => {
  await expect(run([{ file }])).rejects.toThrow(/HTTP 422.*knowledge\[0\]\.file: this is not in a directory of/s);
  await expect(run([{ pdf: file }])).rejects.toThrow(/HTTP 422.*knowledge\[0\]\.pdf: this is not/s);
});

test("a link that leads out of the directory is refused, and so are missing and binary files", async () => {
  await writeFile(join(outside, "secret.txt"), rivers);
  await symlink(join(outside, "secret.txt"), join(folder, "link.txt"));
  await writeFile(join(folder, "binary.txt"), Buffer.from([65, 0, 66]));
  expect((await run([{ file: "link.txt" }])).error).toContain("it is outside the directories that the operator allows");
  expect((await run([{ file: "none.txt" }])).error).toContain("there is no such file");
  expect((await run([{ file: "binary.txt" }])).error).toContain("it is not a text file");
  expect(model.requests).toHaveLength(0);
});

test.each([
  [{}, /knowledge\[0\]: give one of text, store, file, pdf, page/],
  [{ text: "a", page: "https://example.org" }, /knowledge\[0\]: give one of/],
  [{ text: "a", isOwn: true }, /knowledge\[0\]\.isOwn: unknown key/],
  [{ page: "no address" }, /knowledge\[0\]\.page/],
])("a wrong source is refused with its path: %j", async (source, message) => {
  await expect(run([source])).rejects.toThrow(/HTTP 422/);
  await expect(run([source])).rejects.toThrow(message);
});

test("an agent with tools reads its knowledge once in a turn, and the thread does not get it", async () => {
  const now = { toolCall: { id: "call_1", name: "now", args: {} } };
  model.script(now, { tokens: ["Done."] });
  const more = payload([{ text: rivers }], { tools: ["now"] });
  const events = await collect(client.runs.stream(null, "pipeline", { ...more, streamMode: ["custom", "values"] }));
  const first = model.requests[0]?.messages.find(({ role }) => role === "user");
  expect(String(first?.content)).toMatch(/^Knowledge that may help:/);
  expect(model.requests[1]?.messages.find(({ role }) => role === "user")).toEqual(first);
  expect(count.embedded?.filter((text) => text.startsWith("why do rivers bend"))).toHaveLength(1);
  const told = events.filter(({ data }) => Object(data).type === "knowledge");
  expect(told).toMatchObject([{ data: { agent: "scholar", passages: [{ source: "text", score: expect.any(Number) }] } }]);
  expect(JSON.stringify(Object(events.at(-1)?.data).messages)).not.toContain("Knowledge that may help");
});

test("in code, an agent may name any file and any namespace, and a store without an index is searched by words", async () => {
  await writeFile(join(outside, "own.txt"), rivers);
  const store = new InMemoryStore();
  await store.put(["anything"], "one", { text: trains });
  const scholar = agent({ name: "scholar", role: "r", knowledge: [{ file: join(outside, "own.txt") }, { store: ["anything"] }] });
  const graph = pipeline({ stages, agents: [scholar] });
  Object.assign(graph, { store });
  await graph.invoke({ task: "Ask" });
  expect(asked()).toContain("Water is faster outside.");
  expect(asked()).not.toContain("Trains");
});

test("an agent of a crew gets the three best passages of its knowledge sources, if they fit at all", async () => {
  const sources = [...[1, 2, 3, 4, 5].map((n) => ({ text: `${rivers} ${"more ".repeat(n)}` })), { text: trains }];
  const agents = { scholar: { role: "a scholar", goal: "explain", knowledge_sources: sources } };
  const tasks = { one: { description: "why do rivers bend", expected_output: "a reason", agent: "scholar" } };
  await client.runs.wait(null, "crew", { input: { agents, tasks } });
  expect(asked().match(/\[text\]/g)).toHaveLength(3);
  expect(asked()).not.toContain("Trains");
  const refused = client.runs.wait(null, "crew", { input: { agents: { scholar: { ...agents.scholar, knowledge_sources: [{}] } }, tasks } });
  await expect(refused).rejects.toThrow("input.agents.scholar.knowledge_sources[0]");
});
