import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { expect, test } from "vitest";
import { wireJson } from "../../src/state/wire-json.ts";

const changed = new AIMessage({ content: "before", id: "1" });
changed.content = "after";
changed.name = "given later";

const messages: BaseMessage[] = [
  new HumanMessage("x"),
  new HumanMessage({ content: "a", id: "1", name: "n" }),
  new HumanMessage({ content: [{ type: "text", text: "a" }] }),
  new AIMessage({ content: "\ud800\u2028 é", id: "1", response_metadata: { a: 1 } }),
  new AIMessage({ content: "", tool_calls: [{ id: "1", name: "look", args: { a: 1 } }] }),
  new AIMessageChunk({ content: "x", id: "y" }),
  new SystemMessage("s"),
  new ToolMessage({ content: "a", tool_call_id: "1" }),
  new ChatMessage({ content: "a", role: "judge" }),
  new RemoveMessage({ id: "q" }),
  changed,
];

/** Returns a message in LangChain's own flat form. */
const flat = (message: BaseMessage) => {
  const { type, data } = message.toDict();
  return { ...data, type };
};

test("messages are flat, byte for byte as LangChain says them, wherever they stand", () => {
  const flats = messages.map(flat);
  expect(wireJson(messages)).toBe(JSON.stringify(flats));
  expect(messages.map(wireJson)).toEqual(flats.map((one) => JSON.stringify(one)));
  expect(wireJson({ messages, a: { deep: { er: messages } } })).toBe(JSON.stringify({ messages: flats, a: { deep: { er: flats } } }));
});

test("everything else is what JSON.stringify makes of it, and what that cannot say is a string", () => {
  const odd = { a: undefined, b: [undefined, () => 1, Symbol("s")], c: new Date(0), d: new Map([[1, 2]]), e: Number.NaN, f: { g: [null] } };
  expect(wireJson(odd)).toBe(JSON.stringify(odd));
  expect(wireJson(JSON.parse('{"__proto__": {"a": 1}}'))).toBe('{"__proto__":{"a":1}}');
  expect(wireJson([1n, { a: 2n }])).toBe('["1",{"a":"2"}]');
  expect(wireJson(undefined)).toBe("null");
  const circle: Record<string, unknown> = { name: "x" };
  circle.list = [circle];
  expect(JSON.parse(wireJson(circle))).toEqual({ name: "x", list: ["[Circular]"] });
});
