import type { Part } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";

type Block = Record<string, unknown>;
type Content = NonNullable<Part["content"]>;

/** The parts of a message, sorted by their use. Texts and files are for a model. Data parts are values for the graph, such as its input. */
export interface SortedParts {
  /** The content of a LangChain message. Undefined if the message has no text and no file. */
  words: string | Block[] | undefined;
  /** The texts of the message, one below the other. */
  text: string;
  data: unknown[];
}

export function sortParts(parts: Part[]): SortedParts {
  const contents = parts.map((part) => ({ part, content: part.content ?? refuseEmpty() }));
  const data = contents.flatMap(({ content }) => (content.$case === "data" ? [content.value] : []));
  const words = contents.filter(({ content }) => content.$case !== "data");
  const texts = words.flatMap(({ content }) => (content.$case === "text" ? [content.value] : []));
  const text = texts.join("\n");
  if (words.length === 0) return { words: undefined, text, data };
  return { words: texts.length === words.length ? text : words.map(({ part, content }) => blockOf(part, content)), text, data };
}

function refuseEmpty(): never {
  throw new RequestMalformedError("message.parts: each part needs a text, a file or data.");
}

/** Returns the content block for a text or a file, in the form that LangChain's models read. */
function blockOf({ mediaType, filename }: Part, content: Content): Block {
  if (content.$case === "text") return { type: "text", text: content.value };
  const source =
    content.$case === "url"
      ? { source_type: "url", url: content.value }
      : { source_type: "base64", data: Buffer.from(content.value as Uint8Array).toString("base64") };
  const [kind = ""] = mediaType.split("/");
  return {
    type: ["image", "audio"].includes(kind) ? kind : "file",
    ...source,
    ...(mediaType && { mime_type: mediaType }),
    ...(filename && { metadata: { filename } }),
  };
}

export const textPart = (text: string): Part => part({ $case: "text", value: text }, "text/plain");
export const dataPart = (value: unknown): Part => part({ $case: "data", value }, "application/json");

const part = (content: Content, mediaType: string, filename = ""): Part => ({ content, mediaType, filename, metadata: undefined });

/** Returns the parts for the content of a LangChain message. Blocks that other agents cannot read are left out, such as tool calls. */
export function partsOf(content: unknown): Part[] {
  if (typeof content === "string") return content === "" ? [] : [textPart(content)];
  return Array.isArray(content) ? content.flatMap((block) => partOf(block) ?? []) : [];
}

function partOf(given: unknown): Part | undefined {
  const block: Block = Object(given);
  if (block.type === "text") return typeof block.text === "string" && block.text !== "" ? textPart(block.text) : undefined;
  const url = typeof block.image_url === "string" ? block.image_url : (Object(block.image_url).url ?? block.url);
  const type = block.mime_type ?? block.mimeType;
  const mediaType = typeof type === "string" ? type : "";
  const name = Object(block.metadata).filename;
  const filename = typeof name === "string" ? name : "";
  if (typeof url === "string") return part({ $case: "url", value: url }, mediaType, filename);
  const isFile = ["image", "audio", "video", "file"].includes(String(block.type));
  if (!isFile || typeof block.data !== "string") return undefined;
  return part({ $case: "raw", value: Buffer.from(block.data, "base64") }, mediaType, filename);
}
