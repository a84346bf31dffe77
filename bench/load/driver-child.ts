import { Agent, request } from "node:http";
import { z } from "zod";
import { answerParent } from "../child.ts";
import { applyLoad, Load } from "./load.ts";

/** The clients of all contenders that speak HTTP: raw requests over connections that stay open, from a process of their own. */
const Question = z.object({ urls: z.array(z.string()), load: Load });
const patienceMs = 60_000;

answerParent(async (question) => {
  const { urls, load } = Question.parse(question);
  const agent = new Agent({ keepAlive: true }); // of this turn: until the next a server may have closed what was idle
  let turn = 0;
  return applyLoad(load, () => runOnce(urls[turn++ % urls.length] ?? "", agent, load)).finally(() => agent.destroy());
});

function runOnce(url: string, agent: Agent, { graph, method, input, streamMode, threadId, firstMark }: z.output<typeof Load>) {
  const path = threadId ? `/threads/${threadId}/runs/${method}` : `/runs/${method}`;
  const body = JSON.stringify({
    assistant_id: graph,
    input,
    stream_mode: streamMode,
    ...(threadId && { if_not_exists: "create" }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<{ first: number; end: number }>();
  const started = performance.now();
  let first: number | undefined;
  let last = "";
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const posted = request(`${url}${path}`, { method: "POST", headers, agent, timeout: patienceMs }, (response) => {
    response.setEncoding("latin1"); // only marks are looked for, and they are ASCII
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
  });
  posted.on("timeout", () => posted.destroy(new Error(`silent for ${patienceMs / 1000} s`)));
  posted.on("error", reject);
  posted.end(body);
  return promise;
}
