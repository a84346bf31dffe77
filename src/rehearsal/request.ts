import { z } from "zod";

const Parts = z.array(z.object({ type: z.string(), text: z.string().default("") }));
const Content = z.union([z.string(), Parts.transform((parts) => parts.map(({ text }) => text).join("\n"))]);

const Message = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: Content.nullish().transform((content) => content ?? ""),
  tool_calls: z.array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) })).nullish(),
  tool_call_id: z.string().nullish(),
});

const JsonSchema = z.record(z.string(), z.unknown());
const Tool = z.object({ name: z.string().min(1), description: z.string().nullish(), parameters: JsonSchema.nullish() });
const NamedTool = z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) });
const SchemaFormat = z.object({
  type: z.literal("json_schema"),
  json_schema: z.object({ name: z.string(), schema: JsonSchema.nullish() }),
});
const limit = z.number().int().min(1).nullish();

/** The body of a request for a chat completion. Fields that are not listed here are accepted and ignored. */
export const ChatRequest = z
  .object({
    model: z.string().min(1),
    messages: z.array(Message).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    tools: z.array(z.object({ type: z.literal("function"), function: Tool })).nullish(),
    tool_choice: z.union([z.enum(["none", "auto", "required"]), NamedTool]).nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    response_format: z.union([z.object({ type: z.enum(["text", "json_object"]) }), SchemaFormat]).nullish(),
    n: z.number().int().min(1).max(128).nullish(),
    stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
    max_tokens: limit,
    max_completion_tokens: limit,
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
  })
  .superRefine((body, issues) => {
    const problem = problemOf(body.tools ?? [], body.tool_choice) ?? problemIn(body.messages);
    if (problem) issues.addIssue({ code: "custom", ...problem });
  });

export type ChatRequest = z.output<typeof ChatRequest>;
export type Tool = z.output<typeof Tool>;

/** Returns the reason why the request's tool choice is impossible, or undefined if it is possible. */
function problemOf(tools: { function: Tool }[], choice: ChatRequest["tool_choice"]) {
  if (!choice || choice === "none") return;
  if (tools.length === 0) return { path: ["tool_choice"], message: "is only allowed when tools are given" };
  if (typeof choice === "string" || tools.some((tool) => tool.function.name === choice.function.name)) return;
  return { path: ["tool_choice"], message: `names no given tool: ${choice.function.name}` };
}

/**
 * Checks that each tool call is followed by its tool message. Returns the first mistake, or undefined if there is none. The check is as
 * strict as OpenAI's. A conversation that a graph has cut in the wrong place thus fails here as well.
 */
function problemIn(messages: ChatRequest["messages"]) {
  const open = new Set<string>();
  for (const [index, { role, tool_calls, tool_call_id }] of messages.entries()) {
    const problem = (message: string) => ({ path: ["messages", index], message });
    if (role === "tool" && !open.delete(tool_call_id ?? "")) return problem("must be the response to a preceding tool call");
    if (role !== "tool" && open.size > 0) return problem(`must be a tool message: no response to the tool calls ${[...open].join(", ")}`);
    for (const { id } of tool_calls ?? []) open.add(id);
  }
  const path = ["messages", messages.length - 1];
  if (open.size > 0) return { path, message: `has tool calls without a response: ${[...open].join(", ")}` };
}
