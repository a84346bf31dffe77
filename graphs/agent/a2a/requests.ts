import { z } from "zod";

/** The size limit of a remote agent's answer, in bytes. */
const longestAnswer = 10_000_000;
const requestMs = 30_000;
const documentMs = 10_000;

/** The error of a request to a remote agent. `isPassing` tells whether the same request may succeed later. */
export class RequestFailed extends Error {
  override name = "RequestFailed";
  readonly isPassing: boolean;

  constructor(message: string, isPassing = false) {
    super(message);
    this.isPassing = isPassing;
  }
}

export interface Place {
  url: string;
  headers: Record<string, string>;
}

/** Fetches a JSON document. Throws if the request fails or the answer is not JSON. */
export async function readJson({ url, headers }: Place): Promise<unknown> {
  return parse(
    await textOf(await request(url, { headers: { ...headers, accept: "application/json" } }, AbortSignal.timeout(documentMs))),
    url,
  );
}

/** Calls a JSON-RPC method and returns the `result` of the response. Throws if the response has an error. */
export async function call({ url, headers }: Place, method: string, params: object, signal: AbortSignal): Promise<unknown> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(requestMs)]);
  const answer = await request(url, post(method, params, { ...headers, accept: "application/json" }), within);
  return resultOf(parse(await textOf(answer), url));
}

/** Calls a JSON-RPC method that answers with a stream of events, and yields the result that each event carries. */
export async function* stream({ url, headers }: Place, method: string, params: object, signal: AbortSignal): AsyncGenerator<unknown> {
  const answer = await request(url, post(method, params, { ...headers, accept: "text/event-stream" }), signal);
  if (!answer.headers.get("content-type")?.includes("text/event-stream")) {
    yield resultOf(parse(await textOf(answer), url));
    return;
  }
  let data = "";
  for await (const line of linesOf(answer)) {
    if (line.startsWith("data:")) data += `${data && "\n"}${line.slice(5).trimStart()}`;
    if (line !== "" || data === "") continue;
    yield resultOf(parse(data, url));
    data = "";
  }
}

const post = (method: string, params: object, headers: Record<string, string>): RequestInit => ({
  method: "POST",
  headers: { ...headers, "content-type": "application/json" },
  body: JSON.stringify({ jsonrpc: "2.0", id: crypto.randomUUID(), method, params }),
});

/** Sends a request. Redirects are not followed, because a redirect could send the token in the headers to another host. */
async function request(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { ...init, redirect: "manual", signal }).catch((error: Error) => {
    throw broken(url, error);
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    throw new RequestFailed(
      `${url} redirects to ${headers.get("location")}. Redirects are not followed. Put the new address into langgraph.json.`,
    );
  }
  if (status === 401 || status === 403) throw new RequestFailed(`${url} answers ${status}: the token or the headers are refused.`);
  throw new RequestFailed(`${url} answers ${status}.`, status >= 500 || status === 429);
}

async function textOf(answer: Response): Promise<string> {
  let text = "";
  for await (const piece of piecesOf(answer)) text += piece;
  return text;
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of piecesOf(answer)) {
    const lines = `${rest}${piece}`.split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield* [rest, ""]; // the last event may lack the empty line that ends an event
}

async function* piecesOf({ url, body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      size += chunk.length;
      if (size > longestAnswer) throw new RequestFailed(`${url} answers with more than ${longestAnswer / 1_000_000} MB.`);
      yield decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    throw error instanceof RequestFailed ? error : broken(url, error as Error);
  }
}

/** Returns the error for a request that got no answer or only a part of one. If the request was aborted, returns the abort error itself. */
function broken(url: string, error: Error): Error {
  if (error.name === "AbortError") return error;
  if (error.name === "TimeoutError") return new RequestFailed(`${url} does not answer in time.`, true);
  const { code, message } = Object(error.cause ?? error) as { code?: string; message?: string };
  return new RequestFailed(`${url} cannot be reached: ${message || code}`, true);
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestFailed(`${url} does not answer with JSON.`);
  }
}

const Answer = z.object({ result: z.unknown().optional(), error: z.object({ code: z.number(), message: z.string() }).optional() });

function resultOf(answer: unknown): unknown {
  const { success, data } = Answer.safeParse(answer);
  if (!success) throw new RequestFailed("The agent does not answer in JSON-RPC.");
  if (data.error) throw new RequestFailed(`The agent answers with the error ${data.error.code}: ${data.error.message}`);
  return data.result;
}
