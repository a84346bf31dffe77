import { z } from "zod";

const Part = z.looseObject({ type: z.string(), text: z.string().optional() });

const Content = z
  .union([z.string(), z.array(Part)])
  .nullish()
  .transform((content) => (typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("\n")));

const ToolCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const Message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: Content,
  tool_calls: z.array(ToolCall).nullish(),
  tool_call_id: z.string().nullish(),
});

const JsonSchema = z.record(z.string(), z.unknown());

const Tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({ name: z.string().min(1), description: z.string().nullish(), parameters: JsonSchema.nullish() }),
});

const ToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
]);

const ResponseFormat = z.union([
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({ type: z.literal("json_schema"), json_schema: z.looseObject({ name: z.string(), schema: JsonSchema.nullish() }) }),
]);

const limit = z.number().int().min(1).nullish();

const Body = z.looseObject({
  model: z.string().min(1),
  messages: z.array(Message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: ToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: ResponseFormat.nullish(),
  n: z.number().int().min(1).max(128).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  max_tokens: limit,
  max_completion_tokens: limit,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
});

/** The body of a chat completion. Unknown fields are accepted and have no effect. */
export const ChatRequest = Body.superRefine(checkToolChoice).superRefine(checkToolMessages);

export type ChatRequest = z.output<typeof ChatRequest>;
export type Message = z.output<typeof Message>;
export type Tool = z.output<typeof Tool>["function"];

type Issues = z.RefinementCtx;

function checkToolChoice({ tools, tool_choice: choice }: z.output<typeof Body>, issues: Issues): void {
  if (!choice || choice === "none") return;
  const names = (tools ?? []).map((tool) => tool.function.name);
  const problem = (message: string) => issues.addIssue({ code: "custom", path: ["tool_choice"], message });
  if (names.length === 0) problem("is only allowed when tools are given");
  else if (typeof choice === "object" && !names.includes(choice.function.name)) problem(`names no given tool: ${choice.function.name}`);
}

/** Checks tool messages as strictly as the real API, so that a conversation cut in the wrong place fails here too. */
function checkToolMessages({ messages }: z.output<typeof Body>, issues: Issues): void {
  let open = new Set<string>();
  const problem = (index: number, message: string) => issues.addIssue({ code: "custom", path: ["messages", index], message });
  messages.forEach(({ role, tool_calls, tool_call_id }, index) => {
    if (role === "tool") {
      if (!open.delete(tool_call_id ?? "")) problem(index, "with role 'tool' must be the response to a preceding tool call");
      return;
    }
    if (open.size > 0) problem(index, `must be a tool message: no response to the tool calls ${[...open].join(", ")}`);
    open = new Set(tool_calls?.map(({ id }) => id));
  });
  if (open.size > 0) problem(messages.length - 1, `has tool calls without a response: ${[...open].join(", ")}`);
}
