import { expect, test } from "vitest";
import { z } from "zod";
import { checkValue, variantOf } from "../../src/console/parts/check-value.ts";
import { initialValue, type JsonSchema, nameOfVariant, resolve, variantsOf } from "../../src/console/parts/json-schema.ts";

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: "input" }) as JsonSchema;
const problemsOf = (type: z.ZodType, value: unknown) => Object.fromEntries(checkValue(schemaOf(type), schemaOf(type), value));

const Order = z.object({
  name: z.string().min(2).max(5),
  size: z.enum(["small", "large"]),
  amount: z.number().int().min(1).max(9).default(1),
  price: z.number().positive().optional(),
  address: z.object({ street: z.string() }).optional(),
  tags: z.array(z.string()).min(1),
});

test("a valid value has no problems, and an invalid one has a sentence for each field", () => {
  const valid = { name: "Ann", size: "small", amount: 3, tags: ["new"], address: { street: "High" } };
  expect(problemsOf(Order, valid)).toEqual({});
  expect(problemsOf(Order, { name: "A", size: "tiny", amount: 2.5, price: 0, address: {}, tags: [] })).toEqual({
    "/name": "Enter at least 2 characters.",
    "/size": "Choose one of: small, large.",
    "/amount": "Enter a whole number.",
    "/price": "Enter more than 0.",
    "/address/street": "This field is required.",
    "/tags": "Add at least 1.",
  });
  expect(problemsOf(Order, undefined)).toEqual({ "": "This field is required." });
});

test("a form begins with the defaults and with what must be there", () => {
  const schema = schemaOf(Order);
  expect(initialValue(schema, schema)).toEqual({ amount: 1, tags: [] });
  const Nested = schemaOf(z.object({ inner: z.object({ isOn: z.boolean() }), only: z.literal("x"), none: z.null() }));
  expect(initialValue(Nested, Nested)).toEqual({ inner: { isOn: false }, only: "x", none: null });
});

test("the alternative that a value is, or comes nearest to, is chosen and checked", () => {
  const Shape = schemaOf(
    z.union([
      z.object({ kind: z.literal("circle"), radius: z.number() }),
      z.object({ kind: z.literal("box"), side: z.number().max(3) }),
      z.null(),
    ]),
  );
  const variants = variantsOf(Shape, Shape) ?? [];
  expect(variants.map((variant) => nameOfVariant(variant, Shape))).toEqual(["circle", "box", "None"]);
  expect([{ kind: "box", side: 9 }, { kind: "circle" }, null].map((value) => variantOf(variants, Shape, value))).toEqual([1, 0, 2]);
  expect([...checkValue(Shape, Shape, { kind: "box", side: 9 })]).toEqual([["/side", "Enter at most 3."]]);
});

test("references and several types are understood, and a schema that contains itself ends", () => {
  const Tree: JsonSchema = {
    $ref: "#/$defs/node",
    $defs: {
      node: { type: "object", properties: { label: { type: ["string", "null"] }, next: { $ref: "#/$defs/node" } }, required: ["label"] },
    },
  };
  expect(resolve(Tree, Tree).required).toEqual(["label"]);
  expect(initialValue(Tree, Tree)).toEqual({});
  expect([...checkValue(Tree, Tree, { label: null, next: { label: 5 } }).keys()]).toEqual(["/next/label"]);
  const loop: JsonSchema = { $ref: "#" };
  expect(checkValue(loop, loop, 1).size).toBe(0);
});
