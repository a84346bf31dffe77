import { randomUUID } from "node:crypto";
import { type ChaosClient, type RunRequest, untilAnswered } from "./client.ts";
import type { Random } from "./random.ts";

/** The actions of a client on its own thread, and the expected result. */
type Scenario = (client: ChaosClient, random: Random) => Promise<void>;

/** The answer of the scripted model to every request. */
export const modelTokens = "Nothing that was said to be done may be lost , not even this .".split(" ").map((word) => `${word} `);

const numbered = (name: string, count: number, from = 0) => Array.from({ length: count - from }, (_, n) => `${name} ${from + n}`);

interface Values {
  done: number;
  said: string[];
}

async function newThread({ sdk }: ChaosClient): Promise<string> {
  const threadId = randomUUID();
  await untilAnswered(() => sdk.threads.create({ threadId, ifExists: "do_nothing" }));
  return threadId;
}

/** The thread's state through the API, right after the run's stream has ended. */
async function expectThread({ sdk, expect }: ChaosClient, { threadId, kind }: RunRequest, wanted: Partial<Values>, status = "idle") {
  const thread = await untilAnswered(() => sdk.threads.get<Values>(threadId));
  expect(`${kind}: status of thread ${threadId}`, thread.status, status);
  for (const [key, value] of Object.entries(wanted)) {
    expect(`${kind}: ${key} of thread ${threadId}`, thread.values?.[key as keyof Values], value);
  }
}

async function sequence(client: ChaosClient, random: Random): Promise<void> {
  const steps = random.between(4, 9);
  const input = { steps, stepMs: random.between(200, 900) };
  const threadId = await newThread(client);
  const request = { threadId, graph: "sequence", payload: { input }, kind: "sequence", work: numbered("step", steps) };
  await client.run(request);
  await expectThread(client, request, { done: steps });
}

async function fan(client: ChaosClient, random: Random): Promise<void> {
  const input = { steps: 10, stepMs: random.between(300, 900) };
  const threadId = await newThread(client);
  const request = { threadId, graph: "fan", payload: { input }, kind: "fan-out", work: [...numbered("part", 10), "gather"] };
  await client.run(request);
  await expectThread(client, request, { done: 10, said: [..."0123456789", "0123456789"] });
}

async function nested(client: ChaosClient, random: Random): Promise<void> {
  const steps = random.between(2, 5);
  const input = { steps, stepMs: random.between(300, 900) };
  const threadId = await newThread(client);
  const work = ["before", ...numbered("step", steps), "after"];
  const request = { threadId, graph: "nested", payload: { input }, kind: "subgraph", work };
  await client.run(request);
  await expectThread(client, request, { done: steps, said: ["before", "after"] });
}

async function asking(client: ChaosClient, random: Random): Promise<void> {
  const input = { steps: 1, stepMs: random.between(600, 1_800) };
  const threadId = await newThread(client);
  const base = { threadId, graph: "asking", kind: "interrupts" };
  const first = { ...base, payload: { input }, work: ["prepare"] };
  await client.run(first);
  await expectThread(client, first, { said: ["prepare"] }, "interrupted");
  const second = { ...base, payload: { command: { resume: "yes" } }, work: ["first yes"] };
  await client.run(second);
  await expectThread(client, second, { said: ["prepare", "yes"] }, "interrupted");
  const third = { ...base, payload: { command: { resume: "no" } }, work: ["second no", "conclude"] };
  await client.run(third);
  await expectThread(client, third, { said: ["prepare", "yes", "no", "conclude"] });
}

async function fork(client: ChaosClient, random: Random): Promise<void> {
  const steps = random.between(4, 7);
  const from = random.between(1, steps - 2);
  const input = { steps, stepMs: random.between(200, 700) };
  const threadId = await newThread(client);
  const first = { threadId, graph: "sequence", payload: { input }, kind: "fork", work: numbered("step", steps) };
  await client.run(first);
  const history = await untilAnswered(() => client.sdk.threads.getHistory<Values>(threadId, { limit: 50 }));
  const checkpointId = history.find(({ values }) => values.done === from)?.checkpoint?.checkpoint_id ?? "missing";
  const forked = { ...first, payload: { input: null, checkpointId }, work: numbered("step", steps, from) };
  await client.run(forked);
  await expectThread(client, forked, { done: steps });
}

async function talking(client: ChaosClient): Promise<void> {
  const threadId = await newThread(client);
  const request = { threadId, graph: "talking", payload: { input: {} }, kind: "model calls", work: numbered("turn", 2) };
  await client.run(request);
  await expectThread(client, request, { said: [modelTokens.join(""), modelTokens.join("")] });
}

async function paying(client: ChaosClient, random: Random): Promise<void> {
  const steps = random.between(2, 4);
  const input = { steps, stepMs: random.between(400, 1_400) };
  const threadId = await newThread(client);
  const request = { threadId, graph: "paying", payload: { input }, kind: "effects", work: numbered("payment", steps) };
  await client.run(request);
  await expectThread(client, request, { done: steps });
}

export const scenarios: Scenario[] = [sequence, fan, nested, asking, fork, talking, paying];
