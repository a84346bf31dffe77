import { connect } from "node:net";
import { answerParent } from "../child.ts";
import { FollowersQuestion, type FollowersResult, type Following } from "./followers.ts";
import { createLags, type Lags } from "./lags.ts";

/**
 * The clients of an event stream, a thousand in one process. They read and write HTTP as raw bytes, because full HTTP clients would
 * dominate the measurement.
 */
let finished: Promise<FollowersResult> | undefined;

answerParent(async (message) => {
  const question = FollowersQuestion.parse(message);
  if ("finish" in question) return finished;
  const allHere = Promise.withResolvers<void>();
  finished = follow(question.begin, allHere.resolve);
  await Promise.race([allHere.promise, finished]);
  return {};
});

async function follow(following: Following, onAllHere: () => void): Promise<FollowersResult> {
  const lags = createLags();
  let here = 0;
  const onHere = () => {
    here += 1;
    if (here === following.clients) onAllHere();
  };
  const clients = await Promise.all(Array.from({ length: following.clients }, () => followAlone(following, lags, onHere)));
  const counts = clients.map(({ count }) => count);
  return {
    total: lags.total,
    fewest: Math.min(...counts),
    most: Math.max(...counts),
    lagP50: lags.quantile(0.5),
    lagP99: lags.quantile(0.99),
    lagMax: lags.quantile(1),
    ms: lags.ms,
    cut: clients.filter(({ whole }) => !whole).length,
  };
}

function followAlone(following: Following, lags: Lags, onHere: () => void): Promise<{ count: number; whole: boolean }> {
  const { mark } = following;
  const { hostname, port } = new URL(following.url);
  const socket = connect(Number(port), hostname);
  const seen = { count: 0, whole: false };
  let rest = "";
  socket.on("connect", () => socket.write(requestText(following)));
  socket.once("data", onHere);
  socket.on("data", (chunk) => {
    const text = rest + chunk.toString("latin1");
    const complete = text.lastIndexOf("\n\n") + 1; // an event may arrive in two pieces, so only complete events are read
    for (let at = text.indexOf(mark); at !== -1 && at < complete; at = text.indexOf(mark, at + mark.length)) {
      const sentAt = Number.parseFloat(text.slice(at + mark.length, at + mark.length + 20));
      if (Number.isNaN(sentAt)) continue; // the first chunk of a model has no content
      lags.note(sentAt);
      seen.count += 1;
    }
    rest = text.slice(complete);
    seen.whole = text.endsWith("0\r\n\r\n"); // a complete HTTP body ends with this text
    if (seen.whole) socket.end();
  });
  const { promise, resolve } = Promise.withResolvers<typeof seen>();
  socket.on("error", () => {}); // the close event follows
  socket.on("close", () => resolve(seen));
  return promise;
}

function requestText({ url, method, path, body }: Following): string {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = [`host: ${new URL(url).host}`, "content-type: application/json", `content-length: ${Buffer.byteLength(text)}`];
  return `${method} ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${text}`;
}
