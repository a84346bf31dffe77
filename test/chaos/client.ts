import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Command, type StreamMode } from "@langchain/langgraph-sdk";
import type { Ledger, Sight } from "./ledger.ts";
import type { Random } from "./random.ts";

export interface RunRequest {
  threadId: string;
  graph: string;
  payload: { input?: Record<string, unknown> | null; command?: Command; checkpointId?: string };
  kind: string;
  /** The entries that the run's nodes must have written. */
  work: string[];
}

export interface ChaosClient {
  sdk: Client;
  /** Creates a run, follows it to its end, and returns its id. */
  run(request: RunRequest): Promise<string>;
  /** Compares the value that the API shows with the expected value. */
  expect(what: string, seen: unknown, wanted: unknown): void;
}

const returnsLimit = 40;
const returnPauseMs = 250;
/** The queue keys of the runs. */
const tenants = ["north", "south", "west"];
const streamModes: StreamMode[][] = [["updates"], ["values"], ["updates", "custom"], ["messages-tuple", "values"]];

/** Creates a client that uses the official one. Its requests alternate between the API processes, as behind a load balancer. */
export function createClient(urls: string[], ledger: Ledger, random: Random): ChaosClient {
  const sdk = new Client({ apiUrl: urls[0] ?? "", apiKey: null, callerOptions: { fetch: takeTurns(urls, ledger), maxConcurrency: 1_000 } });
  const note = (breach: string, detail: string) => ledger.breaches.push({ rule: breach, detail });

  /** Follows a run to its end. The SDK reconnects a few times. After that, this function reconnects with the last event id. */
  async function follow(threadId: string, sight: Sight, source: AsyncIterable<object>): Promise<void> {
    let events = source;
    while (!(await isAllSeen(events, sight))) {
      sight.returns += 1;
      if (sight.returns > returnsLimit) return void note("client gave up", `run ${sight.runId}`);
      await sleep(returnPauseMs);
      events = sdk.runs.joinStream(threadId, sight.runId, { lastEventId: String(sight.eventIds.at(-1) ?? -1) });
    }
  }

  function acknowledge({ threadId, kind, work }: RunRequest, runId: string, sight: Sight): void {
    sight.runId = runId;
    ledger.sights.push(sight);
    ledger.runs.push({ runId, threadId, kind, work });
  }

  async function createAndFollow(request: RunRequest): Promise<string> {
    const { threadId, graph, payload } = request;
    const sight: Sight = { runId: "", eventIds: [], returns: 0 };
    const metadata = { tenant: random.pick(tenants) };
    const options = { ...payload, metadata, streamMode: random.pick(streamModes) };
    if (random.next() < 0.5) {
      const onRunCreated = ({ run_id }: { run_id: string }) => acknowledge(request, run_id, sight);
      await follow(threadId, sight, sdk.runs.stream(threadId, graph, { ...options, onRunCreated }));
    } else {
      const { run_id } = await sdk.runs.create(threadId, graph, options);
      acknowledge(request, run_id, sight);
      await follow(threadId, sight, sdk.runs.joinStream(threadId, run_id, { lastEventId: "-1" }));
    }
    return sight.runId;
  }

  return {
    sdk,
    async run(request) {
      const runId = await createAndFollow(request);
      const { status } = await untilAnswered(() => sdk.runs.get(request.threadId, runId));
      const run = ledger.runs.find((acknowledged) => acknowledged.runId === runId);
      if (run) run.statusSeen = status;
      if (random.next() < 0.2) {
        const late: Sight = { runId, eventIds: [], returns: 0 };
        ledger.sights.push(late);
        await follow(request.threadId, late, sdk.runs.joinStream(request.threadId, runId, { lastEventId: "-1" }));
      }
      return runId;
    },
    expect(what, seen, wanted) {
      if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
        note("wrong end", `${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
      }
    },
  };
}

/** Reads a stream. Returns false when the connection broke for good. Throws when the run was not acknowledged. */
async function isAllSeen(events: AsyncIterable<object>, sight: Sight): Promise<boolean> {
  try {
    for await (const event of events) if ("id" in event && event.id !== undefined) sight.eventIds.push(Number(event.id));
    return true;
  } catch (error) {
    if (!sight.runId) throw error;
    return false;
  }
}

/** Retries a read until it succeeds. */
export async function untilAnswered<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (tries >= returnsLimit) throw error;
      await sleep(returnPauseMs);
    }
  }
}

function takeTurns(urls: string[], ledger: Ledger): typeof fetch {
  let turn = 0;
  const send = (url: URL, init?: RequestInit): Promise<Response> => {
    url.host = new URL(urls[turn++ % urls.length] ?? "").host;
    return fetch(url, init);
  };
  const dispatch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    const creates = init?.method === "POST" && /\/runs(\/stream)?$/.test(url.pathname);
    if (!creates) return send(url, init);
    const headers = { ...init.headers, "idempotency-key": randomUUID() };
    return untilAcknowledged(() => send(url, { ...init, headers }), ledger);
  };
  return dispatch as typeof fetch;
}

/** Creates a run. After an error or no answer the run may exist, so the retry uses the same idempotency key. */
async function untilAcknowledged(send: () => Promise<Response>, ledger: Ledger): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await send().catch((error: Error) => error);
    if (response instanceof Response && response.status < 500) return response;
    if (tries >= returnsLimit) throw new Error(`No answer to a create: ${response}`);
    ledger.retriedCreates += 1;
    await sleep(returnPauseMs);
  }
}
