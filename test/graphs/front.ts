import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { Client } from "@langchain/langgraph-sdk";
import { getLogger } from "@langchain/langgraph-sdk/logging";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";

getLogger().info("loaded", { by: "front" }); // throws if there is no logger

/** The requests that have reached the routes below. */
const heard: unknown[] = [];

/** The routes and middleware of a project. */
export const app = new Hono();

app.use(async (c, next) => {
  if (c.req.path === "/info" && c.req.query("interrupt") !== undefined) return c.text("interrupted", 418);
  await next();
  c.header("x-js-middleware", "true");
});

app.use("/threads/:id/stream/events", async (c, next) => {
  if (c.req.header("x-badge") === "none") return c.text("Show your badge.", 402);
  await next();
});

app.use("/threads/:id/runs/*", async (c, next) => {
  if (c.req.header("x-change") === "body") {
    const body = await c.req.json();
    body.input = { anything: `${body.input.anything}, changed` };
  }
  if (c.req.header("x-change") === "look") await c.req.text();
  if (c.req.header("x-change") === "steal") await c.req.raw.text();
  await next();
});

app.get("/custom/client", async (c) => c.json(await new Client().assistants.search({ graphId: "mirror" })));
app.get("/custom/stream", async (c) => {
  const events: string[] = [];
  for await (const { event } of new Client().runs.stream(null, "mirror", { input: {} })) events.push(event);
  return c.json(events);
});
app.post("/custom/hook", async (c) => {
  heard.push(await c.req.json());
  return c.json({ ok: true });
});
app.get("/custom/who", (c) => c.json(c.get("auth" as never) ?? null));
app.all("/custom/all", (c) => c.text("for whoever has come this far"));
app.get("/custom/heard", (c) => c.json(heard));
app.post("/custom/peek", async (c) => {
  await c.req.raw.body?.getReader().read(); // reads only the first chunk
  return c.text("peeked");
});
app.get("/custom/fails", () => {
  throw new Error("out of order");
});
app.get("/custom/refuses", () => {
  throw new HTTPException(402, { message: "pay first" });
});
app.get("/custom/breaks", () => {
  const chunks = ["some", new Error("broke off")];
  const body = new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
  });
  return new Response(body);
});
app.notFound((c) => c.text("nothing of the sort", 404));

/** A web handler that is not a Hono app. It reads the body, and answers the paths that it knows. */
export async function handler(request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const text = await request.text();
  if (pathname === "/custom/echo") return new Response(text, { headers: { "x-by": "handler" } });
  if (pathname === "/custom/nothing") return undefined;
  return new Response("who knows", { status: 404 });
}

const State = Annotation.Root({ answer: Annotation<unknown>() });

/** A graph that calls the server that executes it, and logs this. */
export const calling = new StateGraph(State)
  .addNode("call", async () => {
    getLogger().warn("calling", { whom: "mirror" });
    return { answer: await new Client().runs.wait(null, "mirror", { input: { anything: "asked by a graph" } }) };
  })
  .addEdge(START, "call")
  .addEdge("call", END)
  .compile();
