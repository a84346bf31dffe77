import { Agent, type IncomingMessage, request } from "node:http";
import { z } from "zod";
import { answerParent } from "../child.ts";
import { applyLoad, Load, type Sample } from "./load.ts";

/** The HTTP clients of all contenders. They run in a separate process and send raw requests over keep-alive connections. */
const Question = z.object({ urls: z.array(z.string()), load: Load });
const agent = new Agent({ keepAlive: true });
const timeoutMs = 60_000;

answerParent(async (question) => {
  const { urls, load } = Question.parse(question);
  let turn = 0;
  return applyLoad(load, () => runOnce(urls[turn++ % urls.length] ?? "", load));
});

function runOnce(url: string, load: z.output<typeof Load>): Promise<Sample> {
  const { method, threadId } = load;
  const { promise, resolve, reject } = Promise.withResolvers<Sample>();
  const path = threadId ? `/threads/${threadId}/runs/${method}` : `/runs/${method}`;
  const body = bodyOf(load);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const started = performance.now();
  const posted = request(`${url}${path}`, { method: "POST", headers, agent, timeout: timeoutMs }, (response) =>
    readAnswer(response, load, started).then(resolve, reject),
  );
  posted.on("timeout", () => posted.destroy(new Error(`silent for ${timeoutMs / 1000} s`)));
  posted.on("error", (error) => {
    // A server may close an idle connection between two turns. The next request on it then fails before the server has read it, so the
    // request is sent again.
    if (posted.reusedSocket && "code" in error && error.code === "ECONNRESET") resolve(runOnce(url, load));
    else reject(error);
  });
  posted.end(body);
  return promise;
}

const bodyOf = ({ graph, input, streamMode, threadId }: z.output<typeof Load>) =>
  JSON.stringify({ assistant_id: graph, input, stream_mode: streamMode, ...(threadId && { if_not_exists: "create" }) });

/** Reads the response of a run. Only searches the text for marks, because parsing all events would measure the client. */
function readAnswer(response: IncomingMessage, { method, firstMark }: z.output<typeof Load>, started: number): Promise<Sample> {
  const { promise, resolve, reject } = Promise.withResolvers<Sample>();
  let first: number | undefined;
  let last = "";
  response.setEncoding("latin1"); // the marks are ASCII
  response.on("data", (text: string) => {
    if (first === undefined && (method === "wait" || text.includes(firstMark))) first = performance.now() - started;
    last = text;
    if (text.includes("event: error")) reject(new Error(text));
  });
  response.on("end", () => {
    const end = performance.now() - started;
    if (response.statusCode !== 200 || last.includes('"__error__"')) reject(new Error(`${response.statusCode} ${last}`));
    else if (first === undefined) reject(new Error(`no "${firstMark}" came, but ${last}`));
    else resolve({ first, end });
  });
  response.on("error", reject);
  return promise;
}
