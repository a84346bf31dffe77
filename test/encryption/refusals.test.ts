import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/**
 * Handlers that leave values readable. They fail for some values:
 * - They throw an error for a document with the key `failing`.
 * - They lose the key `lost` of a document, which is a mistake of the project.
 */
const encryption = `
const same = async (_, value) => value;
export const encryption = {
  encrypt: {
    blob: same,
    json: async (_, { lost, ...document }) => {
      if ("failing" in document) throw new Error("The key management system does not answer.");
      return document;
    },
  },
  decrypt: { blob: same, json: same },
};
`;

/** A graph that stores a value in the channel that its input names. The parts of a list are joined to one text. */
const graph = `
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
const State = Annotation.Root({ into: Annotation(), value: Annotation(), lost: Annotation(), kept: Annotation() });
export const graph = new StateGraph(State)
  .addNode("give", ({ into, value }) => ({ [into]: Array.isArray(value) ? value.join(":") : value }))
  .addEdge(START, "give")
  .addEdge("give", END)
  .compile();
`;

const project = await makeProject({
  "langgraph.json": { graphs: { giver: "./giver.mjs:graph" }, encryption: { path: "./encryption.mjs:encryption" } },
  "encryption.mjs": encryption,
  "giver.mjs": graph,
});
const { client } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });

test.each([
  ["loses a key of the result", "lost", "anything", "must return a document with the same keys"],
  [
    "leaves a text readable that looks encrypted",
    "kept",
    ["ensemble.sealed", "at", "WyJhIiwiYiJd", "AAAA"],
    "looks like an encrypted value",
  ],
])("a run whose handler %s ends with an error, because a later try would fail too", async (_, into, value, reason) => {
  const { thread_id } = await client.threads.create();
  await expect(client.runs.wait(thread_id, "giver", { input: { into, value } })).rejects.toThrow(reason);
});

test("a value that cannot be encrypted fails only its own request, at once", async () => {
  const begun = performance.now();
  const metadatas = Array.from({ length: 9 }, (_, index) => (index === 4 ? { failing: true } : { index }));
  const made = await Promise.allSettled(metadatas.map((metadata) => client.runs.create(null, "giver", { input: {}, metadata })));
  expect(made.map(({ status }) => status)).toEqual(metadatas.map(({ failing }) => (failing ? "rejected" : "fulfilled")));
  expect(made[4]).toMatchObject({ reason: { message: expect.stringContaining("cannot be encrypted or decrypted") } });
  expect(performance.now() - begun).toBeLessThan(5_000);
});
