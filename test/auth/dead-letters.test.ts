import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { type Letter, lettersAt, only } from "../dead-letters.ts";
import { mended } from "../graphs/mending.ts";
import { startTestService } from "../service.ts";

/** Users see their own rows. The operator sees all rows. */
const auth = `
import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth()
  .authenticate(async (request) => {
    const identity = /^Bearer (\\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (!identity) throw new HTTPException(401);
    return { identity, permissions: [] };
  })
  .on("*", async ({ event, user, value }) => {
    if ("metadata" in value && /:(create|create_run)$/.test(event)) value.metadata = { ...value.metadata, owner: user.identity };
    return user.identity === "operator" || { owner: user.identity };
  });
`;
const graphs = { mending: `${resolve("test/graphs/mending.ts")}:graph` };
const project = await makeProject({ "auth.ts": auth, "langgraph.json": { graphs, auth: { path: "./auth.ts:auth" } } });
const service = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const as = (user: string) => lettersAt(service, { authorization: `Bearer ${user}` });
const [ann, bob, operator] = [as("ann"), as("bob"), as("operator")];

async function fail(job: string): Promise<Letter> {
  const { thread_id: threadId } = await ann.ask<{ thread_id: string }>("POST", "/threads", {});
  await ann.ask("POST", `/threads/${threadId}/runs/wait`, { assistant_id: "mending", input: { job } });
  return only(await ann.of(threadId));
}

test("another user's letter is not found, and is neither redriven nor discarded", async () => {
  const dead = await fail("ann's");
  expect(dead.owner).toBe("ann");
  expect(await bob.list()).toEqual([]);
  expect((await bob.send("GET", `/dead-letters/${dead.id}`)).status).toBe(404);
  expect((await bob.send("POST", "/dead-letters/redrive", { ids: [dead.id] })).status).toBe(404);
  expect((await bob.send("POST", "/dead-letters/discard", { ids: [dead.id] })).status).toBe(404);
  expect(await bob.redrive({ filter: {} })).toEqual([]);
  expect(await bob.discard({ filter: {} })).toEqual([]);
  expect(await ann.get(dead.id)).toMatchObject({ state: "dead", by: null });
});

const userOf = async ({ redrive }: Letter) =>
  (
    await service.db.query("select auth_user ->> 'identity' as user, metadata ->> 'owner' as owner from runs where run_id = $1", [
      redrive?.run_id,
    ])
  ).rows[0];

test("a run that an operator redrives stays the run of its user, and belongs to the operator if the input is new", async () => {
  const same = await fail("same");
  mended.add("same").add("new");
  await operator.redrive({ ids: [same.id] });
  expect(await operator.settled(same.id)).toMatchObject({ state: "redriven", by: "operator", owner: "ann" });
  expect(await userOf(await operator.get(same.id))).toEqual({ user: "ann", owner: "ann" });

  const edited = await fail("edited");
  await operator.redrive({ ids: [edited.id], edit: { job: "new" } });
  expect(await operator.settled(edited.id)).toMatchObject({ state: "redriven" });
  expect(await userOf(await operator.get(edited.id))).toEqual({ user: "operator", owner: "operator" });
});
