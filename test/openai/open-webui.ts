import { randomUUID } from "node:crypto";

/** A message as Open WebUI sends it. */
export type Message = Record<string, unknown> & { role: string };

interface Connection {
  baseURL: string;
  key?: string;
  /** The field *Headers* of the connection. Its placeholders are filled in for each request. */
  headers?: Record<string, string>;
  /** True for a connection with the API type *Responses*. */
  usesResponses?: boolean;
}

interface Sent {
  model: string;
  messages: Message[];
  chat?: string;
  /** The name of a request that Open WebUI makes for itself, such as `title_generation`. */
  task?: string;
  stream?: boolean;
  signal?: AbortSignal;
  more?: object;
}

/** The message that Open WebUI shows for an answer. */
export interface Shown {
  text: string;
  error: string | undefined;
  calls: { id: string; function: { name: string; arguments: string } }[];
  usage: unknown;
  finish: string | undefined;
}

/** The function tools that Open WebUI 0.10 sends with every message of a chat, unless its administrator has turned them off. */
export const builtinTools = ["get_current_timestamp", "search_chats", "create_tasks"].map((name) => ({
  type: "function",
  function: { name, description: `The tool ${name}.`, parameters: { type: "object", properties: {}, required: [] } },
}));

/** Open WebUI reads a stream line by line, and gives up at a longer line. */
const longestLine = 131_072;

/** Sends requests in the form of Open WebUI 0.10.1, and reads the answers by its rules. */
export function openWebUi({ baseURL, key, headers = {}, usesResponses = false }: Connection) {
  const headersFor = ({ chat = "", task = "" }: { chat?: string | undefined; task?: string | undefined }) => ({
    accept: "*/*",
    "user-agent": "Python/3.12 aiohttp/3.13.2",
    "content-type": "application/json",
    ...(key && { authorization: `Bearer ${key}` }),
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("{{CHAT_ID}}", chat).replace("{{TASK}}", task)]),
    ),
  });

  const send = ({ model, messages, chat, task, stream = true, signal, more = {} }: Sent) => {
    const body = { stream, model, messages, ...more };
    return fetch(`${baseURL}/${usesResponses ? "responses" : "chat/completions"}`, {
      method: "POST",
      headers: headersFor({ chat, task }),
      body: JSON.stringify(usesResponses ? toResponses(body) : body),
      ...(signal && { signal }),
    });
  };

  return {
    send,
    /** Verifies the connection. Returns the model list, or the error as the page shows it. */
    async verify(): Promise<{ data: { id: string; name?: string }[] } | { error: string }> {
      const response = await fetch(`${baseURL}/models`, { headers: headersFor({}) });
      const answer = (await response.json()) as { data: []; error?: { message?: string } };
      return response.ok ? answer : { error: `OpenAI: ${answer.error?.message ?? "Network Problem"}` };
    },
    /** Sends a message of a chat, with the parameters and tools that a chat may have. */
    async chat(sent: Sent): Promise<Shown> {
      const more = { temperature: 0.7, top_p: 0.9, seed: 7, reasoning_effort: "low", max_tokens: 500, tools: builtinTools, ...sent.more };
      const response = await send({ ...sent, more: { ...more, stream_options: { include_usage: true } } });
      return sent.stream === false ? readWhole(response) : readStream(response);
    },
    /** Asks for a title, tags or follow-up questions. The prompt contains the conversation as text. */
    async task(sent: Omit<Sent, "messages"> & { task: string }): Promise<Shown> {
      const messages = [{ role: "user", content: "### Task:\nWrite a title.\n<chat_history>\nUSER: Paint!\n</chat_history>" }];
      return readWhole(await send({ ...sent, messages, stream: false, more: { max_tokens: 1000 } }));
    },
  };
}

/** Converts a chat completion as Open WebUI does for the API type *Responses*. */
function toResponses({ messages, ...body }: { messages: Message[] } & Record<string, unknown>) {
  const { max_tokens, stream_options: _, tools, ...rest } = body;
  const system = messages.find(({ role }) => role === "system");
  const input = messages
    .filter((message) => message !== system)
    .map(({ role, content }) => ({
      type: "message",
      role,
      content: [{ type: role === "assistant" ? "output_text" : "input_text", text: content }],
    }));
  return {
    ...rest,
    input,
    ...(system && { instructions: system.content }),
    max_output_tokens: max_tokens,
    ...(Array.isArray(tools) && { tools: tools.map(({ type, function: definition }) => ({ type, ...definition })) }),
  };
}

const nothing = (): Shown => ({ text: "", error: undefined, calls: [], usage: undefined, finish: undefined });

/** The fields that Open WebUI reads of an answer, in any of its forms. It validates nothing. */
interface Answer {
  object: string;
  error?: { message: string };
  detail?: string;
  choices: { message: { content: string }; finish_reason: string | null }[];
  output: Item[];
  usage: unknown;
}

/** An output item of a response. */
interface Item {
  type: string;
  content?: { text: string }[];
}

/** The fields that Open WebUI reads of an event, of a chat completion or of a response. */
interface Event {
  type?: string;
  delta?: string;
  response?: { output: Item[]; usage: unknown; error: { message: string } | null };
  usage?: unknown;
  error?: { message: string };
  choices?: { delta: { content?: string; tool_calls?: (Shown["calls"][number] & { index: number })[] }; finish_reason: string | null }[];
}

const textOf = (output: Item[]) => output.flatMap(({ content = [] }) => content.map(({ text }) => text)).join("");

async function readWhole(response: Response): Promise<Shown> {
  const answer = (await response.json()) as Answer;
  if (response.status >= 400) return { ...nothing(), error: answer.error?.message ?? answer.detail };
  if (answer.object === "response") return { ...nothing(), text: textOf(answer.output), usage: answer.usage };
  const [choice] = answer.choices;
  return { ...nothing(), text: choice?.message.content ?? "", finish: choice?.finish_reason ?? undefined, usage: answer.usage };
}

async function readStream(response: Response): Promise<Shown> {
  if (response.status >= 400) return readWhole(response);
  if (!response.headers.get("content-type")?.includes("text/event-stream")) throw new Error("The answer is no event stream.");
  const shown = nothing();
  const lines = (await response.text()).split("\n");
  for (const line of lines) {
    if (Buffer.byteLength(line) > longestLine) throw new Error(`Got more than ${longestLine} bytes when reading a line.`);
    if (!line.startsWith("data:")) {
      if (line.trim() && !/^(event)?:/.test(line)) throw new Error(`A line is unreadable: ${line}`);
      continue;
    }
    const data = line.slice("data:".length).trim();
    if (data !== "[DONE]") readEvent(shown, JSON.parse(data) as Event);
  }
  return { ...shown, text: shown.text.trim() };
}

function readEvent(shown: Shown, data: Event): void {
  if (data.type?.startsWith("response.")) readResponseEvent(shown, data);
  if (data.usage) shown.usage = data.usage;
  const [choice] = data.choices ?? [];
  if (!choice) {
    if (data.error) shown.error = data.error.message;
    return;
  }
  shown.text += choice.delta.content ?? "";
  shown.finish = choice.finish_reason ?? shown.finish;
  for (const { index, ...call } of choice.delta.tool_calls ?? []) {
    const known = shown.calls[index];
    if (known) known.function.arguments += call.function.arguments;
    else shown.calls[index] = call;
  }
}

function readResponseEvent(shown: Shown, { type, delta, response }: Event): void {
  if (type === "response.output_text.delta") shown.text += delta;
  if (type === "response.failed") shown.error = response?.error?.message;
  if (type !== "response.completed") return;
  shown.usage = response?.usage;
  if (textOf(response?.output ?? []) !== shown.text) throw new Error("The text of the events differs from the response.");
}

/** The `metadata` that a page sends with a direct connection. Other connections do not send it. */
export const directMetadata = (model: string) => ({
  user_id: randomUUID(),
  chat_id: randomUUID(),
  message_id: randomUUID(),
  session_id: "s1",
  tool_ids: null,
  files: null,
  features: { web_search: false },
  variables: { "{{USER_NAME}}": "Ann" },
  model: { id: model, direct: true, urlIdx: 0 },
  params: { function_calling: "native" },
});
