import { ChatOpenAI } from "@langchain/openai";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startRehearsal } from "../../src/rehearsal/server.ts";

const rehearsal = await startRehearsal();
afterAll(rehearsal.stop);

const chat = () => new ChatOpenAI({ model: "any", apiKey: "none", maxRetries: 0, configuration: { baseURL: rehearsal.baseUrl } });

/** Returns the value that the model fills into a JSON schema. */
async function fillForm(schema: object, prompt: string): Promise<unknown> {
  const format = { type: "json_schema" as const, json_schema: { name: "form", schema: schema as Record<string, unknown> } };
  return JSON.parse((await chat().withConfig({ response_format: format }).invoke(prompt)).text);
}

const fill = async <Schema extends z.ZodType>(schema: Schema, prompt: string): Promise<z.infer<Schema>> =>
  schema.parse(await fillForm(z.toJSONSchema(schema, { io: "input" }), prompt));

interface Tree {
  label: string;
  children: Tree[];
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ label: z.string(), children: z.array(Tree) }));

const Address = z.object({ street: z.string().min(3), zip: z.string().regex(/^\d{5}$/), country: z.enum(["de", "fr"]) });

describe("whatever the schema, the answer fits it", () => {
  test.for<[string, z.ZodType]>([
    ["nested objects", z.object({ name: z.string(), address: Address, second: Address.nullable(), third: Address.optional() })],
    [
      "arrays with bounds",
      z.object({ few: z.array(z.string()).min(2).max(3), many: z.array(z.number()).length(7), none: z.array(z.string()).max(0) }),
    ],
    [
      "numbers with bounds",
      z.object({ a: z.number().gt(3).lt(4), b: z.int().min(100), c: z.int().max(-5), d: z.number().multipleOf(0.25).max(1) }),
    ],
    [
      "discriminated unions",
      z
        .array(
          z.discriminatedUnion("kind", [
            z.object({ kind: z.literal("a"), x: z.int() }),
            z.object({ kind: z.literal("b"), y: z.boolean() }),
          ]),
        )
        .min(3),
    ],
    ["formats", z.object({ at: z.iso.datetime(), day: z.iso.date(), who: z.email(), where: z.url(), id: z.uuid(), ip: z.ipv4() })],
    [
      "patterns",
      z.object({
        code: z.string().regex(/^[A-Z]{2}-\d{3,5}$/),
        slug: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
        either: z.string().regex(/^(?:yes|no)$/),
      }),
    ],
    ["references that must be there", z.object({ dependsOn: z.array(z.string()).min(2), requires: z.array(z.string()).min(1) })],
    ["lengths", z.object({ short: z.string().max(5), long: z.string().min(120), exact: z.string().length(9) })],
    ["records", z.object({ scores: z.record(z.string(), z.number().min(0).max(1)), byColour: z.record(z.enum(["red", "blue"]), z.int()) })],
    ["tuples and literals", z.object({ pair: z.tuple([z.string(), z.int()]), version: z.literal(2), nothing: z.null() })],
    [
      "defaults",
      z.object({
        mode: z.enum(["free", "strict"]).default("strict"),
        limit: z.int().min(1).default(10),
        tags: z.array(z.string()).default([]),
      }),
    ],
    ["a schema that contains itself", Tree],
    ["intersections", z.object({ a: z.string() }).and(z.object({ b: z.int().min(3) }))],
    [
      "unions of simple types",
      z.object({ value: z.union([z.string(), z.number(), z.boolean()]), list: z.union([z.array(z.int()).min(1), z.null()]) }),
    ],
    ["a bare array", z.array(z.enum(["red", "green", "blue"])).min(2)],
    ["strict objects", z.strictObject({ only: z.strictObject({ this: z.boolean() }) })],
  ])("%s", async ([, schema]) => {
    const prompts = [
      "Fill this in.",
      "Review the login code for security and performance, then rate it from 1 to 12.",
      "Ünïcödé 東京 {broken [json",
      "x",
    ];
    for (const prompt of prompts) await fill(schema, prompt);
  });

  test.for<[string, object]>([
    [
      "$ref and $defs",
      {
        $ref: "#/$defs/node",
        $defs: {
          node: {
            type: "object",
            properties: { next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] }, value: { type: "integer" } },
            required: ["next", "value"],
            additionalProperties: false,
          },
        },
      },
    ],
    [
      "allOf",
      {
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { type: "object", properties: { b: { type: "integer", minimum: 5 } }, required: ["b"] },
        ],
      },
    ],
    [
      "nullable types and unique items",
      {
        type: "object",
        properties: { a: { type: ["string", "null"] }, b: { type: "array", items: { type: "string" }, uniqueItems: true, minItems: 5 } },
        required: ["a", "b"],
      },
    ],
  ])("%s", async ([, schema]) => {
    const filled = await fillForm(schema, "Plan a trip to Rome.");
    expect(z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(filled).error).toBeUndefined();
    const { b } = filled as { b?: unknown };
    if (Array.isArray(b)) expect(new Set(b).size).toBe(b.length);
  });
});

describe("the answer is made from the prompt", () => {
  test("facts are found where they stand", async () => {
    const Person = z.object({
      name: z.string(),
      age: z.int().min(0).max(130),
      mail: z.email(),
      born: z.iso.date(),
      city: z.string(),
      likes: z.enum(["red", "blue"]),
    });
    const prompt = "name: Ada Lovelace, age 36, city: London, mail ada@example.org, born 1815-12-10. She likes blue.";
    const person = await chat().withStructuredOutput(Person).invoke(prompt);
    expect(person).toEqual({ name: "Ada Lovelace", age: 36, mail: "ada@example.org", born: "1815-12-10", city: "London", likes: "blue" });
  });

  const Plan = z.object({
    steps: z
      .array(
        z.object({
          id: z.string().describe("Unique"),
          cook: z.string().describe("Name of the cook who does it"),
          task: z.string().describe("What is to be done"),
          dependsOn: z.array(z.string()).describe("Ids of the steps that come first"),
        }),
      )
      .min(1)
      .max(12),
  });

  test.for([
    ["in bullets", "Cooks:\n- baker: bakes bread and cakes\n- grill: roasts meat\n- bar: mixes drinks"],
    [
      "in JSON",
      `Input:\n${JSON.stringify({
        cooks: [
          { name: "baker", role: "bakes bread and cakes" },
          { name: "grill", role: "roasts meat" },
          { name: "bar", role: "mixes drinks" },
        ],
      })}`,
    ],
    ["in a sentence", "Cooks: baker, grill and bar."],
  ] as const)("who is chosen stands on the list, and fits: %s", async ([, list]) => {
    const { steps } = await fill(Plan, `Task: The baker and the grill prepare a dinner.\n\n${list}`);
    expect(steps.map(({ cook }) => cook)).toEqual(["baker", "grill"]);
    expect(new Set(steps.map(({ id }) => id)).size).toBe(2);
    for (const [index, { dependsOn }] of steps.entries()) {
      const earlier = steps.slice(0, index).map(({ id }) => id);
      expect(dependsOn.filter((id) => !earlier.includes(id))).toEqual([]);
    }
  });

  test("an id that refers to something is one that the prompt has", async () => {
    const Retry = z.object({ stepId: z.string().describe("Id of the step to do again") });
    const input = JSON.stringify([
      { id: "dough", result: "done" },
      { id: "oven", result: "broken" },
    ]);
    expect(await fill(Retry, `Task: Do the oven again.\n\nInput:\n${input}`)).toEqual({ stepId: "oven" });
  });

  test("as many elements as were asked for, each its own", async () => {
    const { ideas } = await fill(z.object({ ideas: z.array(z.string()) }), "Give me five ideas for a birthday party.");
    expect(new Set(ideas).size).toBe(5);
  });

  test("the variant that is meant", async () => {
    const Action = z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("call"), number: z.string() }),
      z.object({ kind: z.literal("email"), to: z.email() }),
    ]);
    const Answer = z.object({ action: Action });
    expect(await fill(Answer, "Send an email to bob@example.com.")).toEqual({ action: { kind: "email", to: "bob@example.com" } });
    expect((await fill(Answer, "Call Bob: number: 555-1234")).action.kind).toBe("call");
  });

  test("a loop that asks whether to go on is told to end when nothing is left, and to go on while something is", async () => {
    const Decision = z.object({ decision: z.enum(["continue", "finish"]), error: z.string().nullable(), problems: z.array(z.string()) });
    const ask = (left: string) => fill(Decision, `Decide whether to continue or finish.\n\nRemaining steps: ${left}`);
    expect(await ask("none")).toEqual({ decision: "finish", error: null, problems: [] });
    expect(await ask("bake the bread")).toMatchObject({ decision: "continue" });
  });

  test("a JSON object without a schema has the keys that the prompt names", async () => {
    const reply = await chat()
      .withConfig({ response_format: { type: "json_object" } })
      .invoke('Answer as JSON with the keys "title" and "mood". A sunny day.');
    expect(Object.keys(JSON.parse(reply.text))).toEqual(["title", "mood"]);
  });
});
