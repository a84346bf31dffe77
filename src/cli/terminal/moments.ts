import { z } from "zod";

/** An event of a run's stream, as the official client yields it. */
export interface Part {
  id?: unknown;
  event: string;
  data: unknown;
}

/** A stream event, converted for a display that a person reads. `path` lists the nested subgraphs in which the event occurred. */
export type Moment =
  | { kind: "attempt"; attempt: number }
  | { kind: "step"; path: string[]; node: string; update: unknown }
  | { kind: "token"; path: string[]; node: string; message: string; text: string; ends: boolean }
  | { kind: "progress"; path: string[]; data: unknown }
  | { kind: "values"; path: string[]; values: unknown }
  | { kind: "error"; error: string; message: string };

const Metadata = z.object({ attempt: z.number().default(1) });
const Updates = z.record(z.string(), z.unknown());
const Failure = z.object({ error: z.string().default("Error"), message: z.string().default("") });
const Chunk = z.tuple([
  z.object({
    id: z.string().nullish(),
    type: z.string(),
    content: z.unknown().optional(),
    response_metadata: z.looseObject({ finish_reason: z.unknown().optional() }).partial().nullish(),
  }),
  z.looseObject({ langgraph_node: z.string().default("model"), langgraph_checkpoint_ns: z.string().default("") }),
]);

/** Returns a stream event in the form for a display. Returns an empty list if the event is irrelevant or has an unknown form. */
export function readMoments({ event, data }: Part): Moment[] {
  const [mode = "", ...namespace] = event.split("|");
  const path = namespace.map((segment) => segment.split(":")[0] ?? segment);
  const reader = readers[mode];
  return reader ? reader(path, data) : [];
}

const readers: Record<string, (path: string[], data: unknown) => Moment[]> = {
  metadata: (_, data) => ifRead(Metadata, data, ({ attempt }) => [{ kind: "attempt", attempt }]),
  updates: (path, data) =>
    ifRead(Updates, data, (updates) =>
      Object.entries(updates)
        .filter(([node]) => node !== "__interrupt__")
        .map(([node, update]) => ({ kind: "step", path, node, update })),
    ),
  messages: (path, data) =>
    ifRead(Chunk, data, ([chunk, from]) => {
      if (!/^(ai|AIMessageChunk)$/.test(chunk.type)) return [];
      const message = `${from.langgraph_checkpoint_ns} ${chunk.id ?? ""}`;
      const ends = Boolean(chunk.response_metadata?.finish_reason);
      // The namespace of a message includes the node that sent the message, but the namespace of an update does not. The node is removed
      // here, so that both have the same path.
      const around = path.at(-1) === from.langgraph_node ? path.slice(0, -1) : path;
      return [{ kind: "token", path: around, node: from.langgraph_node, message, text: textOf(chunk.content), ends }];
    }),
  custom: (path, data) => [{ kind: "progress", path, data }],
  values: (path, values) => [{ kind: "values", path, values }],
  error: (_, data) =>
    typeof data === "string"
      ? [{ kind: "error", error: "Error", message: data }]
      : ifRead(Failure, data, (failure) => [{ kind: "error", ...failure }]),
};

function ifRead<Schema extends z.ZodType>(schema: Schema, data: unknown, use: (data: z.output<Schema>) => Moment[]): Moment[] {
  const read = schema.safeParse(data);
  return read.success ? use(read.data) : [];
}

const TextPart = z.object({ type: z.literal("text"), text: z.string() });

/** Returns the text of a message's content, which may be a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => TextPart.safeParse(part))
    .map((part) => (part.success ? part.data.text : ""))
    .join("");
}
