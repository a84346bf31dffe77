import { resolve } from "node:path";
import { Client } from "@langchain/langgraph-sdk";
import { expect, test } from "vitest";
import { a2aClient, data, sending } from "../a2a-client.ts";
import { makeProject } from "../command.ts";
import { lettersAt } from "../dead-letters.ts";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { findTraces } from "./traces.ts";

/** A fact about the user that the auth handler returns, and that the service stores with the user's runs. */
const secret = "canary-alice";
const headers = { authorization: "Bearer alice" };

/** The columns in which the secret stands if values are not encrypted. The list shows that the test looks at all of them. */
const traces = [
  "crons.auth_user",
  "dead_letters.auth_user",
  "push_configs.credentials",
  "push_configs.token",
  "redrives.auth_user",
  "redrives.edit",
  "runs.auth_user",
  "webhooks.push",
];

test.each([
  ["with a key", { LANGGRAPH_AES_KEY: "an AES key that has 32 bytes, ok" }, []],
  ["without a key", {}, traces],
])("facts about users and credentials of receivers are stored readable only without a key: %s", async (_, env, expected) => {
  const graphs = resolve("test/graphs");
  const project = await makeProject({
    "langgraph.json": {
      graphs: { confidant: `${graphs}/with-encryption/confidant.ts:graph`, tattler: `${graphs}/with-encryption/confidant.ts:failing` },
      auth: { path: `${graphs}/with-auth/auth.ts:auth` },
    },
  });
  const receiver = await startReceiver((response) => response.writeHead(500).end());
  const { db, fetch, urls } = await startTestService({
    ...{ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1" },
    ...env,
  });
  const client = new Client({ apiUrl: urls[0] ?? "", defaultHeaders: headers });
  const agent = await a2aClient(urls, "confidant", "1.0", headers);
  const authentication = { scheme: "Bearer", credentials: secret };
  await agent.sendMessage(sending([data({ secret })], { push: { url: `${receiver.url}/push`, token: secret, authentication } }));
  await eventually(() => receiver.at("/push").length).toBeGreaterThan(0);
  expect(receiver.at("/push")[0]?.headers).toMatchObject({ "x-a2a-notification-token": secret, authorization: `Bearer ${secret}` });

  await client.crons.create("confidant", { schedule: "0 0 1 1 *", input: {} });
  for (let nth = 0; nth < 2; nth++) await client.runs.wait(null, "tattler", { input: { secret } }).catch(() => {});
  const letters = lettersAt({ fetch }, headers);
  const ids = (await letters.list()).filter(({ kind }) => kind === "run").map(({ id }) => id);
  expect(ids).toHaveLength(2);
  // The run of the first letter is not claimed, so the second letter and the redrive wait for it.
  await db.query("insert into halts default values");
  await letters.redrive({ ids, edit: { secret }, parallel: 1 });
  await eventually(async () => (await db.query("select from runs where status = 'pending'")).rowCount).toBe(1);

  const found = await findTraces(db, secret);
  expect(expected.length === 0 ? found : found.filter((column) => traces.includes(column))).toEqual(expected);
});
