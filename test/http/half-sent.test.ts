import { once } from "node:events";
import { connect } from "node:net";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";
import { collect } from "../sse.ts";

const graphs = { slow: `${resolve("test/graphs/slow.ts")}:graph` };

test.each([
  ["at the root", {}],
  ["below a prefix", { mount_prefix: "/here" }],
])("a request whose body does not arrive is cut off, and a stream that takes longer is not: %s", async (_where, http) => {
  const project = await makeProject({ "langgraph.json": { graphs, http } });
  const { urls, client } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ENSEMBLE_REQUEST_TIMEOUT_SECS: "1" });
  const url = new URL(urls[0] ?? "");
  const path = `${url.pathname.replace(/\/$/, "")}/runs/wait`;
  const socket = connect(Number(url.port), url.hostname);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"assistant_id":`,
  );
  let text = "";
  socket.on("data", (chunk) => (text += chunk));

  const long = collect(client.runs.stream(null, "slow", { input: { until: 5, tickMs: 500 }, streamMode: "values" }));
  await once(socket, "close");
  expect(text).toContain("408 Request Timeout");
  expect(text).toContain("The request did not arrive in time.");
  expect((await long).at(-1)?.data).toMatchObject({ ticks: 5 });
});
