import { expect, test } from "vitest";
import { type BusFunction, bus, busHistory } from "../../graphs/index.ts";

interface Got {
  id: string;
  from: string;
  type: string;
  payload: unknown;
  delivery: number;
}
const limits = { stageMs: 0 };
const messagesIn = (input: unknown) => Object(input).messages as Got[];

/** An agent that handles each message by a function, and notes what it got. */
const handling = (name: string, handle: (message: Got) => object[], seen: string[] = []): BusFunction => ({
  name,
  turn: (input) => {
    const messages = messagesIn(input);
    seen.push(...messages.map(({ from, payload }) => `${from}: ${JSON.stringify(payload)}`));
    return { send: messages.flatMap(handle) };
  },
});
const reply = (to: Got, payload: unknown) => ({ to: to.from, type: "COMPLETE", payload, replyTo: to.id });
const done = (payload: unknown) => ({ to: "user", type: "COMPLETE", payload });

test("a request gets its reply by the correlation id, and each message is acknowledged once", async () => {
  const graph = bus({
    agents: [
      handling("lead", (message) =>
        message.from === "user" ? [{ to: "helper", type: "REQUEST", payload: "sum" }] : [done(`${message.payload}!`)],
      ),
      handling("helper", (message) => [reply(message, 5)]),
    ],
    limits,
  });
  const { status, output, log, receipts, latency } = await graph.invoke({ task: "t" });
  expect({ status, output }).toEqual({ status: "answered", output: "5!" });
  expect(log.map(({ id, from, to, type, correlationId }) => [id, from, to, type, correlationId])).toEqual([
    ["m1", "user", "lead", "REQUEST", "m1"],
    ["m2", "lead", "helper", "REQUEST", "m2"],
    ["m3", "helper", "lead", "COMPLETE", "m2"],
    ["m4", "lead", "user", "COMPLETE", "m4"],
  ]);
  expect(receipts.map(({ id, outcome, deliveries }) => [id, outcome, deliveries])).toEqual([
    ["m1", "acked", 1],
    ["m2", "acked", 1],
    ["m3", "acked", 1],
  ]);
  expect(latency?.maxMs).toBeGreaterThanOrEqual(latency?.meanMs ?? 0);
  expect(busHistory(log, "lead").map(({ id }) => id)).toEqual(["m2", "m4"]);
  expect(busHistory(log)).toHaveLength(4);
});

test("an acknowledgement that is lost has one effect: the repeated message is dropped by its id", async () => {
  let effects = 0;
  const careless: BusFunction = {
    name: "careless",
    turn: () => {
      effects++;
      return { acks: [], send: [done("booked")] };
    },
  };
  const { receipts, log, status } = await bus({ agents: [careless, handling("b", () => [])], limits }).invoke({ task: "t" });
  expect(effects).toBe(1);
  expect(status).toBe("answered");
  expect(receipts).toMatchObject([{ id: "m1", outcome: "acked", deliveries: 2 }]);
  expect(log.filter(({ to }) => to === "user")).toHaveLength(1);
});

test("a message whose receiver fails is delivered three times, then its sender is told", async () => {
  let tries = 0;
  const seen: string[] = [];
  const graph = bus({
    agents: [
      handling(
        "lead",
        (message) => (message.from === "user" ? [{ to: "weak", type: "REQUEST", payload: "do it" }] : [done(message.type)]),
        seen,
      ),
      {
        name: "weak",
        turn: () => {
          tries++;
          throw new Error("broken");
        },
      },
    ],
    limits,
  });
  const { output, receipts } = await graph.invoke({ task: "t" });
  expect({ tries, output }).toEqual({ tries: 3, output: "UNDELIVERED" });
  expect(receipts[1]).toMatchObject({ id: "m2", to: "weak", outcome: "dead", deliveries: 3, reason: "broken" });
  expect(seen[1]).toBe('bus: {"id":"m2","to":"weak","reason":"broken"}');
});

test("a receiver that comes back in time gets the message once more, with its number of deliveries", async () => {
  const deliveries: number[] = [];
  const flaky: BusFunction = {
    name: "flaky",
    turn: (input) => {
      const [message] = messagesIn(input);
      if (!message) return {};
      deliveries.push(message.delivery);
      if (deliveries.length < 3) throw new Error("not yet");
      return { send: [done("at last")] };
    },
  };
  const { output, receipts } = await bus({ agents: [flaky, handling("b", () => [])], limits }).invoke({ task: "t" });
  expect({ output, deliveries }).toEqual({ output: "at last", deliveries: [1, 2, 3] });
  expect(receipts).toMatchObject([{ outcome: "acked", deliveries: 3 }]);
});

const waitingForEachOther = (priorities: Record<string, number>) => {
  const partner = (name: string, other: string): BusFunction =>
    handling(name, (message) => {
      if (message.payload === "begin") return [{ to: other, type: "REQUEST", payload: `${name} needs you` }];
      if (message.type === "REQUEST") return [reply(message, `from ${name}`)];
      return message.type === "REFUSED" ? [] : [done(`${name} got ${JSON.stringify(message.payload)}`)];
    });
  return bus({
    agents: [handling("lead", () => [{ to: "*", type: "DISCOVERY", payload: "begin" }]), partner("a", "b"), partner("b", "a")],
    priorities,
    limits,
  }).invoke({ task: "t" });
};

test.each([
  [{ a: 1 }, "b", 'a got "from b"'],
  [{ b: 1 }, "a", 'b got "from a"'],
  [{}, "b", 'a got "from b"'],
])(
  "two requests that wait for each other are a deadlock: with priorities %j, the request of %s is refused",
  async (priorities, refused, output) => {
    const result = await waitingForEachOther(priorities);
    expect(result.deadlocks).toEqual([{ agents: ["a", "b"], refused }]);
    expect(result.log.filter(({ type }) => type === "REFUSED")).toMatchObject([
      { from: "bus", to: refused, payload: { reason: "Deadlock: a and b wait for each other." } },
    ]);
    expect(result).toMatchObject({ status: "answered", output });
  },
);

test("three that wait in a circle are a deadlock too", async () => {
  const next: Record<string, string> = { a: "b", b: "c", c: "a" };
  const partners = ["a", "b", "c"].map((name) =>
    handling(name, (message) => {
      if (message.payload === "begin") return [{ to: next[name], type: "REQUEST", payload: "?" }];
      return message.type === "REQUEST" ? [reply(message, name)] : message.type === "REFUSED" ? [] : [done(name)];
    }),
  );
  const lead = handling("lead", () => [{ to: "*", type: "DISCOVERY", payload: "begin" }]);
  const { deadlocks, log } = await bus({ agents: [lead, ...partners], limits }).invoke({ task: "t" });
  expect(deadlocks).toEqual([{ agents: ["a", "b", "c"], refused: "c" }]);
  expect(log.filter(({ to }) => to === "user").map(({ payload }) => payload)).toEqual(["b", "a"]);
});

test("a message to an agent that ended, or to nobody, comes back to its sender", async () => {
  const seen: string[] = [];
  const lead = handling(
    "lead",
    (message) => {
      if (message.from === "user")
        return [
          { to: "short", type: "DISCOVERY", payload: 1 },
          { to: "nobody", type: "DISCOVERY", payload: 0 },
        ];
      if (message.payload === "bye") return [{ to: "short", type: "REQUEST", payload: 2 }];
      return [];
    },
    seen,
  );
  const short: BusFunction = { name: "short", turn: () => ({ send: [{ to: "lead", payload: "bye" }], done: true }) };
  const { ended, receipts } = await bus({ agents: [lead, short], limits }).invoke({ task: "t" });
  expect(ended).toEqual(["short"]);
  expect(seen.slice(1)).toEqual([
    'bus: {"id":"m3","to":"nobody","reason":"There is no agent \\"nobody\\"."}',
    'short: "bye"',
    'bus: {"id":"m6","to":"short","reason":"\\"short\\" has ended."}',
  ]);
  expect(receipts.filter(({ outcome }) => outcome === "dead")).toMatchObject([{ to: "nobody" }, { to: "short" }]);
});

test("messages of a pair keep their order, also when they are delivered again; an alert goes before all else", async () => {
  const seen: string[] = [];
  let fails = 1;
  const sink: BusFunction = {
    name: "sink",
    turn: (input) => {
      if (fails-- > 0) throw new Error("once");
      seen.push(...messagesIn(input).map(({ payload }) => String(payload)));
      return {};
    },
  };
  const source = handling("source", (message) =>
    message.from === "user"
      ? [...[1, 2, 3].map((payload) => ({ to: "sink", type: "DISCOVERY", payload })), { to: "sink", type: "ALERT", payload: "fire" }]
      : [],
  );
  await bus({ agents: [source, sink], limits }).invoke({ task: "t" });
  expect(seen).toEqual(["fire", "1", "2", "3"]);
});

test("a broadcast reaches all but its sender, and only `*` is one", async () => {
  const got: string[] = [];
  const hearing = (name: string) => handling(name, () => [], got);
  const lead = handling("lead", (message) => (message.from === "user" ? [{ to: "*", type: "DISCOVERY", payload: "hi" }] : []));
  const { receipts, log } = await bus({ agents: [lead, hearing("a"), hearing("b")], limits }).invoke({ task: "t" });
  expect(got).toEqual(['lead: "hi"', 'lead: "hi"']);
  expect(log).toHaveLength(2);
  expect(receipts.map(({ id, to }) => `${id} ${to}`)).toEqual(["m1 lead", "m2 a", "m2 b"]);
});

test("a request that its receiver handles without a reply ends the wait of its sender", async () => {
  const seen: string[] = [];
  const lead = handling("lead", (message) => (message.from === "user" ? [{ to: "mute", type: "REQUEST", payload: "?" }] : []), seen);
  await bus({ agents: [lead, handling("mute", () => [])], limits }).invoke({ task: "t" });
  expect(seen[1]).toBe('bus: {"id":"m2","to":"mute","reason":"\\"mute\\" did not reply."}');
});

test("agents that never stop talking end at the limit of messages", async () => {
  const chatty = (name: string, to: string) => handling(name, () => [{ to, type: "DISCOVERY", payload: "and you?" }]);
  const { status, log } = await bus({ agents: [chatty("a", "b"), chatty("b", "a")], maxMessages: 20, limits }).invoke({ task: "t" });
  expect({ status, messages: log.length }).toEqual({ status: "limit", messages: 20 });
});

test("a turn that takes longer than an acknowledgement may is ended, and its messages are delivered again", async () => {
  const deliveries: number[] = [];
  const slow: BusFunction = {
    name: "slow",
    turn: (input) => {
      deliveries.push(messagesIn(input)[0]?.delivery ?? 0);
      return deliveries.length === 1 ? new Promise(() => {}) : { send: [done("in time")] };
    },
  };
  const { output } = await bus({ agents: [slow, handling("b", () => [])], ackSeconds: 0.5, limits }).invoke({ task: "t" });
  expect({ output, deliveries }).toEqual({ output: "in time", deliveries: [1, 2] });
});

test("a request without a reply in time ends the wait of its sender, though others are still at work", async () => {
  const seen: string[] = [];
  const lead = handling("lead", (message) => (message.from === "user" ? [{ to: "busy", type: "REQUEST", payload: "?" }] : []), seen);
  const busy = handling("busy", (message) => (message.from === "lead" ? [{ to: "slow", type: "REQUEST", payload: "?" }] : []));
  const slow: BusFunction = {
    name: "slow",
    turn: async (input) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { send: messagesIn(input).map((message) => reply(message, "late")) };
    },
  };
  await bus({ agents: [lead, busy, slow], replySeconds: 0.05, limits }).invoke({ task: "t" });
  expect(seen[1]).toContain("There was no reply within 0.05 s.");
});
