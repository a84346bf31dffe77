import { z } from "zod";
import { isId } from "../../db/ids.ts";
import { Json, Text } from "../schemas.ts";
import { refused } from "./errors.ts";
import { ChatMessage } from "./messages.ts";
import { CallerTool } from "./tools.ts";

/** A part of an item's content: a text, an image, or a part of another type, which goes to the graph unchanged. */
const Part = z.looseObject({ type: Text, text: z.string().optional() });
const Content = z.union([z.string(), z.array(Part)]);

/** An item of the input. Its `type` decides which of the other fields it needs. */
const Item = z.looseObject({
  type: Text.optional(),
  role: Text.optional(),
  content: Content.nullish(),
  call_id: Text.optional(),
  name: Text.optional(),
  arguments: z.string().optional(),
  output: Content.optional(),
});
type Item = z.output<typeof Item>;

/** The prefix of a response's id. The rest is the id of the run that gave the response. */
const prefix = "resp_";

const ResponseId = Text.refine((id) => runIdOf(id) !== undefined, 'must be the id of a response, such as "resp_…"');

/** The body of a request for a response. Fields about sampling are ignored, because the graph chooses its models. */
export const ResponseCreate = z.object({
  model: Text.min(1),
  input: z.union([z.string(), z.array(Item).min(1)]),
  instructions: z.string().nullish(),
  previous_response_id: ResponseId.nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  tools: z.array(Json).max(128).nullish(),
  tool_choice: z.unknown().optional(),
  user: Text.nullish(),
  metadata: Json.nullish(),
  background: z.boolean().nullish(),
  conversation: z.unknown().optional(),
});

export type ResponseBody = z.output<typeof ResponseCreate>;

/** The fields of a request that the response repeats. They are stored with the run, so that the response can be read again. */
export const ResponseRequest = ResponseCreate.pick({
  model: true,
  instructions: true,
  previous_response_id: true,
  store: true,
  tools: true,
  tool_choice: true,
  metadata: true,
  background: true,
});
export type ResponseRequest = z.output<typeof ResponseRequest>;

export const responseIdOf = (runId: string) => `${prefix}${runId}`;

/** Returns the id of the run that gave a response, or undefined if this is not the id of a response. */
export const runIdOf = (responseId: string): string | undefined => {
  const [, runId = ""] = responseId.split(prefix);
  return responseId.startsWith(prefix) && isId(runId) ? runId : undefined;
};

/** Returns the messages of a request in the form of chat completions. The instructions become a system message at the start. */
export function messagesOf({ input, instructions }: ResponseBody): ChatMessage[] {
  const items: Item[] = typeof input === "string" ? [{ role: "user", content: input }] : input;
  const messages = items.flatMap((item, index) => toMessage(item, `input[${index}]`));
  const all = instructions ? [{ role: "system", content: instructions }, ...messages] : messages;
  const read = z.array(ChatMessage).safeParse(mergeCalls(all));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refused("input", `${issue?.path.join(".")}: ${issue?.message}`);
}

interface Message {
  role: string;
  content?: unknown;
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

function toMessage(item: Item, path: string): Message[] {
  const { type = "message", role, content, call_id, name, arguments: args, output } = item;
  if (type === "reasoning") return []; // the thoughts of an earlier response, which only OpenAI's own models can read
  if (type === "message" && role !== undefined) return [{ role, content: toContent(content) }];
  if (type === "function_call_output" && call_id !== undefined)
    return [{ role: "tool", tool_call_id: call_id, content: toContent(output) }];
  if (type === "function_call" && call_id !== undefined && name !== undefined)
    return [
      { role: "assistant", content: null, tool_calls: [{ id: call_id, type: "function", function: { name, arguments: args ?? "" } }] },
    ];
  throw refused(
    path,
    "must be a message with a role, a function_call or a function_call_output, with all their fields",
    "unsupported_item",
  );
}

/** Converts the content of an item to the form of chat completions. */
function toContent(content: z.output<typeof Content> | null | undefined): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part) => {
    if (/^(input|output)_text$/.test(part.type)) return { type: "text", text: part.text ?? "" };
    if (part.type !== "input_image") return part;
    const { image_url: url, detail } = part;
    return { type: "image_url", image_url: { url, ...(typeof detail === "string" && { detail }) } };
  });
}

/** Moves tool calls into the preceding message of the assistant, because models expect all calls of one turn in a single message. */
function mergeCalls(messages: Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const before = merged.at(-1);
    if (message.tool_calls && before?.role === "assistant") before.tool_calls = [...(before.tool_calls ?? []), ...message.tool_calls];
    else merged.push(message);
  }
  return merged;
}

const FlatTool = z.looseObject({ type: z.literal("function"), name: Text });

/** Returns the caller's tools in the form of chat completions. Throws for tools that only OpenAI can execute, such as a web search. */
export function toolsOf({ tools, tool_choice: choice }: ResponseBody) {
  const converted = (tools ?? []).map((tool, index) => {
    const { type, ...definition } = FlatTool.safeParse(tool).data ?? {};
    if (type === undefined) throw refused(`tools[${index}]`, "only tools of the type function are supported", "unsupported_tool");
    return CallerTool.parse({ type, function: definition });
  });
  const named = FlatTool.safeParse(choice).data;
  return { tools: converted, tool_choice: named ? { type: "function", function: { name: named.name } } : choice };
}
