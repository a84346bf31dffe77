import { prefix } from "../../boot.ts";
import { readCredential } from "../../credential.ts";
import { isObject } from "../../parts/json-schema.ts";

/** The request that the page sends for a run. */
export interface RunRequest {
  assistantId: string;
  /**
   * The id that the code examples use for the assistant. It is the graph's id for the default assistant of a graph, and otherwise the
   * assistant's id.
   */
  called: string;
  /** The thread to continue. Undefined for a new thread. */
  threadId: string | undefined;
  input: unknown;
  context?: Record<string, unknown> | undefined;
  /** The maximum number of steps of the run. Undefined for the default limit of the graph. */
  recursionLimit?: number | undefined;
}

/** The stream modes that the page needs. `tasks` contains each step with its result, so `updates` and `values` are not needed. */
const streamModes = ["tasks", "custom", "messages-tuple"] as const;

/** The stream options of the runs that the page starts, and of the runs that continue after an answer. */
export const answerStreams = { stream_mode: streamModes, stream_subgraphs: true };

const isFilled = (context: RunRequest["context"]) => context !== undefined && Object.keys(context).length > 0;

const configOf = ({ recursionLimit }: RunRequest) => recursionLimit !== undefined && { config: { recursion_limit: recursionLimit } };

/** Returns the body of the request. The run continues when the person leaves the page. */
export function bodyOf(request: RunRequest): Record<string, unknown> {
  return {
    assistant_id: request.assistantId,
    ...sharedOf(request),
    ...answerStreams,
    on_disconnect: "continue",
    if_not_exists: "create",
  };
}

const origin = () => `${location.origin}${prefix}`;
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const sharedOf = (request: RunRequest) => ({
  input: request.input ?? null,
  ...(isFilled(request.context) && { context: request.context }),
  ...configOf(request),
});

/** Returns the request as a curl command. The command refers to the API key by a shell variable and does not contain the key. */
export function asCurl(request: RunRequest): string {
  const { called, threadId } = request;
  const path = threadId === undefined ? "/runs/stream" : `/threads/${threadId}/runs/stream`;
  const body = { assistant_id: called, ...sharedOf(request), stream_mode: ["updates", "custom"] };
  const lines = [
    `curl -sN ${quoted(`${origin()}${path}`)}`,
    ...(readCredential() === undefined ? [] : ['-H "x-api-key: $ENSEMBLE_API_KEY"']),
    "-H 'content-type: application/json'",
    `-d ${quoted(JSON.stringify(body, null, 2))}`,
  ];
  return lines.join(" \\\n  ");
}

/** Returns the request as code for the JavaScript SDK. */
export function asCode(request: RunRequest): string {
  const { called, threadId } = request;
  const key = readCredential() === undefined ? "" : ", apiKey: process.env.ENSEMBLE_API_KEY";
  const thread = threadId === undefined ? "const { thread_id } = await client.threads.create();" : `const thread_id = ${text(threadId)};`;
  const options = { ...sharedOf(request), streamMode: ["updates", "custom"] };
  return `import { Client } from "@langchain/langgraph-sdk";

const client = new Client({ apiUrl: ${text(origin())}${key} });
${thread}
const stream = client.runs.stream(thread_id, ${text(called)}, ${code(options)});
for await (const { event, data } of stream) console.log(event, data);
`;
}

const text = (value: string) => JSON.stringify(value);

/** Returns a value as JavaScript code. Keys are unquoted if they can be. */
function code(value: unknown, indent = ""): string {
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.some((item) => typeof item === "object" && item !== null))
    return `[\n${value.map((item) => `${inner}${code(item, inner)}`).join(",\n")},\n${indent}]`;
  if (Array.isArray(value)) return `[${value.map((item) => code(item)).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "undefined";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  const keyOf = (key: string) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : text(key));
  return `{\n${entries.map(([key, item]) => `${inner}${keyOf(key)}: ${code(item, inner)}`).join(",\n")},\n${indent}}`;
}
