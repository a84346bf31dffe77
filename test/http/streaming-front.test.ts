import { once } from "node:events";
import { resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const graphs = { steps: `${resolve("test/graphs/steps.ts")}:graph` };
const http = { app: `${resolve("test/graphs/front.ts")}:app`, mount_prefix: "/api" };
const project = await makeProject({ "langgraph.json": { graphs, http } });
const { urls } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });

async function open(headers: Record<string, string>): Promise<WebSocket> {
  const address = `${urls[0]?.replace("http", "ws")}/threads/${crypto.randomUUID()}/stream/events`;
  const socket = new WebSocket(address, { headers });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

test("middleware before event streaming also runs for WebSockets, with and without a prefix", async () => {
  await expect(open({ "x-badge": "none" })).rejects.toThrow("402");
  const socket = await open({ "x-badge": "gold" });
  socket.send(JSON.stringify({ id: 1, method: "run.start", params: { assistant_id: "steps", input: {} } }));
  const [answer] = await once(socket, "message");
  expect(JSON.parse(String(answer))).toMatchObject({ type: "success", id: 1 });
});
