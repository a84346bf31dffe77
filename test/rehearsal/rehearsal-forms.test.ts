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
    [
      "formats",
      z.object({ at: z.iso.datetime(), day: z.iso.date(), who: z.email(), where: z.url(), id: z.uuid(), v7: z.uuidv7(), ip: z.ipv4() }),
    ],
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
  const Plan = z.object({
    goal: z.string(),
    steps: z.array(
      z.object({
        id: z.string(),
        cook: z.enum(["bar", "grill", "baker"]),
        task: z.string(),
        isUrgent: z.boolean(),
        confidence: z.number().min(0).max(1),
        dependsOn: z.array(z.string()).default([]),
        note: z.string().optional(),
        error: z.string().nullable(),
      }),
    ),
  });

  test("its texts repeat the task, its options are those that the prompt names, its ids are unique", async () => {
    const prompt = "Task: Plan how to do this: Cook a dinner\n\nCooks: the baker, then the grill. There is a bar too.";
    const step = { isUrgent: true, confidence: 0.5, dependsOn: [], error: null };
    expect(await fill(Plan, prompt)).toEqual({
      goal: "Rehearsal goal: Cook a dinner",
      steps: [
        { ...step, id: "step-1", cook: "baker", task: "Rehearsal task 1: Cook a dinner" },
        { ...step, id: "step-2", cook: "grill", task: "Rehearsal task 2: Cook a dinner" },
      ],
    });
  });

  test("the same prompt gets the same answer, another prompt another one", async () => {
    const Order = z.object({ id: z.uuid(), zip: z.string().regex(/^\d{5}$/), mail: z.email() });
    const order = await fill(Order, "Order bread");
    expect(await fill(Order, "Order bread")).toEqual(order);
    expect(await fill(Order, "Order cake")).not.toEqual(order);
  });

  test("an option that the prompt does not name is the first", async () => {
    const Decision = z.object({ decision: z.enum(["continue", "finish"]) });
    expect(await fill(Decision, "What now?")).toEqual({ decision: "continue" });
    expect(await fill(Decision, "Is it time to finish?")).toEqual({ decision: "finish" });
  });

  test("a JSON object without a schema has an answer", async () => {
    const reply = await chat()
      .withConfig({ response_format: { type: "json_object" } })
      .invoke("A sunny day, as JSON");
    expect(JSON.parse(reply.text)).toEqual({ answer: "Rehearsal answer: A sunny day, as JSON" });
  });
});
