import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";
import { z } from "zod";

const Message = z.looseObject({ type: z.string().optional(), content: z.union([z.string(), z.array(z.unknown())]) });
const Values = z.looseObject({ messages: z.array(z.unknown()).min(1) });

/**
 * Returns the output of a run as a tool's result. The structured content is the whole output. The content is the last message of a graph
 * that has messages, and otherwise the output as JSON.
 */
export function toResult(output: string | null): CallToolResult {
  const values: unknown = output === null ? {} : JSON.parse(output);
  const structuredContent = isObject(values) ? values : { output: values };
  return { content: contentOf(values) ?? [{ type: "text", text: output ?? "{}" }], structuredContent };
}

function contentOf(values: unknown): ContentBlock[] | undefined {
  const last = Values.safeParse(values).data?.messages.at(-1);
  const { content } = Message.safeParse(last).data ?? {};
  if (content === undefined) return undefined;
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map(toBlock);
}

const DataUrl = z.string().regex(/^data:[\w.+-]+\/[\w.+-]+;base64,/);
/**
 * The parts of a message that become MCP content blocks. The schemas accept the forms of LangChain and of the OpenAI API, and convert them.
 */
const parts = [
  z.object({ type: z.literal("text"), text: z.string() }).transform(({ text }): ContentBlock => ({ type: "text", text })),
  z
    .object({ type: z.enum(["image", "audio"]), mimeType: z.string(), data: z.string() })
    .transform(({ type, mimeType, data }): ContentBlock => ({ type, mimeType, data })),
  z.object({ type: z.literal("image_url"), image_url: z.object({ url: DataUrl }) }).transform(({ image_url: { url } }) => image(url)),
  z
    .object({ type: z.literal("input_audio"), input_audio: z.object({ data: z.string(), format: z.string() }) })
    .transform(({ input_audio: { data, format } }): ContentBlock => ({ type: "audio", data, mimeType: `audio/${format}` })),
  z
    .object({ type: z.literal("resource"), resource: z.looseObject({ uri: z.string(), text: z.string() }) })
    .transform(({ resource }): ContentBlock => ({ type: "resource", resource })),
  z
    .object({ type: z.literal("resource"), resource: z.looseObject({ uri: z.string(), blob: z.string() }) })
    .transform(({ resource }): ContentBlock => ({ type: "resource", resource })),
  z
    .looseObject({ type: z.literal("resource_link"), uri: z.string(), name: z.string() })
    .transform(({ uri, name }): ContentBlock => ({ type: "resource_link", uri, name })),
];

function image(url: string): ContentBlock {
  const [head = "", data = ""] = url.split(",", 2);
  return { type: "image", data, mimeType: head.slice("data:".length).split(";")[0] ?? "" };
}

/** Returns a part of a message as a content block. A part without an equivalent in MCP becomes its JSON. */
function toBlock(part: unknown): ContentBlock {
  if (typeof part === "string") return { type: "text", text: part };
  for (const form of parts) {
    const block = form.safeParse(part);
    if (block.success) return block.data;
  }
  return { type: "text", text: JSON.stringify(part) };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
