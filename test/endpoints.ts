/** An endpoint: a valid request, and the values that each part of it must refuse. */
export interface Endpoint {
  body?: unknown;
  /** Values that the fields of the body must refuse, by the path of the field. */
  fields?: Record<string, unknown[]>;
  /** Values that the query parameters must refuse, percent-encoded. */
  query?: Record<string, string[]>;
  headers?: Record<string, string[]>;
  /** The query that a valid request needs. */
  search?: string;
  /** The status for an unknown id, if it is not 404. */
  unknownId?: number;
}

const nul = "a\u0000b";
const lone = "a\ud800b";
const badText = [7, true, {}, [], nul, lone, "x".repeat(100_001)];
const badDocument = [7, "text", true, []];
const badId = ["", "no-uuid", 7, {}, "0190b0f0-0000-7000-8000-00000000000g", `${nul}`];
const badFlag = ["maybe", 7, {}];
const badLimit = [0, -1, 1_001, 2.5, "ten", "", true, [5], {}, "1e2", "0x10", null];
const badOffset = [-1, 2.5, 1e12, "one", "", true, [5], {}];
const badChoice = ["nonsense", "", 7, true, {}, ["asc"]];
const badPath = ["text", 7, {}, [7], [null], [["a"]], [nul], [lone]];
const badList = ["text", 7, {}, [7], [{}], [null]];

const flagInQuery = ["maybe", "2", "", "%00"];
const limitInQuery = ["0", "-1", "1001", "2.5", "ten", "", "1e2", "0x10", "Infinity", "5&limit=6"];
const offsetInQuery = ["-1", "2.5", "1e12", "one", "", "NaN"];
const choiceInQuery = ["nonsense", "", "%00"];

const paging = { limit: badLimit, offset: badOffset };
const checkpoint = {
  checkpoint: [7, "text", []],
  "checkpoint.checkpoint_id": badText,
  "checkpoint.checkpoint_ns": badText,
  "checkpoint.checkpoint_map": badDocument,
};
const command = {
  "command.update": [7, "text", true, [1], [["key"]], [[7, 1]]],
  "command.goto": [7, true, {}, { node: 7 }, [7], [{ input: 1 }], nul, [nul], { node: lone }],
};
const config = {
  config: badDocument,
  "config.tags": badList,
  "config.recursion_limit": [0, -1, 2.5, "25", 1e9],
  "config.max_concurrency": [0, -1, 2.5, "4"],
  "config.run_name": badText,
  "config.metadata": badDocument,
  "config.configurable": badDocument,
};
const assistantFields = { ...config, context: badDocument, metadata: badDocument, name: badText, description: badText };
const assistantFilter = { graph_id: badText, name: badText, metadata: badDocument };
const threadFilter = {
  ids: ["text", 7, {}, ["no-uuid"], [7], [null]],
  metadata: badDocument,
  values: badDocument,
  status: badChoice,
};

const badTtl = ["60", true, [], {}, 0, -1, 1e12, { ttl: 0 }, { ttl: "60" }, { ttl: 60, strategy: "nonsense" }, { strategy: "delete" }];

const badTime = ["", "soon", "2027-13-01T00:00:00Z", "2027-01-01", 7, {}, true, null];

const runFields = {
  ...config,
  ...checkpoint,
  ...command,
  assistant_id: ["", ...badText],
  command: [7, "text", []],
  context: badDocument,
  metadata: badDocument,
  checkpoint_id: badText,
  webhook: [...badText, "", "text", "ftp://a.test/", "//a.test/", "http://169.254.169.254/", "https://localhost/"],
  interrupt_before: [7, "one", {}, [7], [nul]],
  interrupt_after: [7, "one", {}, [7], [nul]],
  stream_mode: ["nonsense", 7, {}, ["values", "nonsense"], [7]],
  stream_subgraphs: ["true", 1, {}],
  stream_resumable: ["true", 1, {}],
  on_disconnect: badChoice,
  on_completion: badChoice,
  multitask_strategy: badChoice,
  after_seconds: [-1, "5", 1e12, {}, true],
  if_not_exists: badChoice,
  feedback_keys: [...badList, [""], [nul], [lone], ["x".repeat(101)], Array(51).fill("k")],
  durability: badChoice,
  checkpoint_during: ["true", 1],
};
const runCreate: Endpoint = { body: { assistant_id: "steps", input: {} }, fields: runFields };

const cronFields = {
  ...config,
  schedule: [
    "",
    7,
    {},
    "nonsense",
    "* * * *",
    "* * * * * *",
    "@hourly",
    "60 * * * *",
    "*/0 * * * *",
    "0 0 30 2 *",
    "0 0 0 * *",
    nul,
    lone,
    "0 0 * * 1,".repeat(100),
  ],
  timezone: ["", "Nowhere/City", "+01:00", "local", 7, {}, nul],
  end_time: badTime.filter((time) => time !== null),
  enabled: ["true", 1, {}],
  on_run_completed: badChoice,
  context: badDocument,
  metadata: badDocument,
  webhook: badText,
  interrupt_before: runFields.interrupt_before,
  interrupt_after: runFields.interrupt_after,
  stream_mode: runFields.stream_mode,
  stream_subgraphs: runFields.stream_subgraphs,
  stream_resumable: runFields.stream_resumable,
  multitask_strategy: badChoice,
  durability: badChoice,
  checkpoint_during: runFields.checkpoint_during,
};
const cronCreate: Endpoint = {
  body: { assistant_id: "steps", schedule: "0 0 1 1 *", input: {} },
  fields: { ...cronFields, assistant_id: runFields.assistant_id },
};
const cronFilter = { assistant_id: badText, thread_id: badId, enabled: ["true", 1, {}], metadata: badDocument };
const joinQuery = { cancel_on_disconnect: flagInQuery, stream_mode: ["nonsense", "values&stream_mode=nonsense"] };
const lastEventId = { "last-event-id": ["abc", "12abc", "1.5", "-2", "1 2", "0x1", "1700000000-0"] };

const badShort = [7, true, {}, [], nul, lone, "x".repeat(100_001)];
const timeInQuery = ["soon", "2027-13-01T00:00:00Z", "", "%00"];
const chosenLetters = {
  ids: ["text", 7, {}, [], [7], [null], ["no-uuid"], Array(1_001).fill(crypto.randomUUID())],
  filter: ["text", 7, [], { unknown: 1 }],
  "filter.kind": badChoice,
  "filter.graph": badText,
  "filter.since": badTime,
};

/** The fields that chat completions and responses have in common. */
const openAi = {
  model: [7, null, "", nul, {}],
  stream: ["yes", 1],
  tools: ["text", 7, {}, [7]],
  user: [7, {}, nul],
  metadata: badDocument,
};

/** Every endpoint of the API. If one is missing here, `bad-input.test.ts` fails. */
export const endpoints: Record<string, Endpoint> = {
  "GET /ok": { query: { check_db: flagInQuery } },
  "GET /info": {},
  "GET /metrics": { query: { format: choiceInQuery } },
  "GET /workers": {},
  "POST /workers/halt": {},
  "POST /workers/resume": {},
  "GET /resources": {},
  "PUT /resources/{name}": {
    body: { pool: 2 },
    fields: {
      pool: [0, -1, 1.5, "1", true, null, {}, 2 ** 31],
      rate: [7, "", "1000", "0/m", "1000/month", "1.5/s", "-1/s", "9999999999/s", null],
    },
  },
  "DELETE /resources/{name}": {},
  "GET /runs/stats": {},
  "GET /usage": {},
  "GET /stats": { query: { since: timeInQuery, graph: ["%00"] } },
  "GET /limits": {},
  "GET /limits/{name}": {},
  "PUT /limits/{name}": {
    body: { total: 1 },
    fields: {
      total: [-1, 1.5, "1", {}],
      per_key: [-1, 1.5, "1"],
      rate: ["1", "0/m", "5/x", 3],
      max_waiting: [-1, "1"],
      shadow: ["yes", 1],
      graphs: [[], "steps", [1]],
    },
  },
  "DELETE /limits/{name}": {},
  "GET /console/config.json": {},
  "POST /mcp": { body: { jsonrpc: "2.0", id: 1, method: "tools/list" } },

  "POST /assistants": {
    body: { graph_id: "steps" },
    fields: { ...assistantFields, graph_id: badText, assistant_id: badId, if_exists: badChoice },
  },
  "POST /assistants/search": {
    body: {},
    fields: { ...assistantFilter, ...paging, sort_by: badChoice, sort_order: badChoice, select: [...badList, ["nonsense"], ["__proto__"]] },
  },
  "POST /assistants/count": { body: {}, fields: assistantFilter },
  "GET /assistants/{assistantId}": {},
  "PATCH /assistants/{assistantId}": { body: {}, fields: { ...assistantFields, graph_id: badText } },
  "DELETE /assistants/{assistantId}": { query: { delete_threads: flagInQuery } },
  "POST /assistants/{assistantId}/versions": { body: {}, fields: { ...paging, metadata: badDocument } },
  "POST /assistants/{assistantId}/latest": {
    body: { version: 1 },
    fields: { version: [0, -1, 2.5, "1", true, null, {}, 2 ** 31, Number.MAX_SAFE_INTEGER] },
  },
  "GET /assistants/{assistantId}/graph": { query: { xray: ["maybe", "-1", "101", "", "1.5"] } },
  "GET /assistants/{assistantId}/schemas": {},
  "GET /assistants/{assistantId}/subgraphs": { query: { recurse: flagInQuery } },
  "GET /assistants/{assistantId}/subgraphs/{namespace}": { query: { recurse: flagInQuery } },

  "POST /threads": {
    body: {},
    fields: {
      thread_id: badId,
      metadata: badDocument,
      if_exists: badChoice,
      supersteps: ["text", 7, {}, [7], [{}], [{ updates: [] }], [{ updates: [{}] }], [{ updates: [{ as_node: nul }] }]],
      ttl: badTtl,
    },
  },
  "POST /threads/search": {
    body: {},
    fields: {
      ...threadFilter,
      ...paging,
      sort_by: badChoice,
      sort_order: badChoice,
      select: [...badList, ["nonsense"], ["__proto__"]],
      extract: ["text", 7, [], { alias: 7 }],
    },
  },
  "POST /threads/count": { body: {}, fields: threadFilter },
  "POST /threads/prune": {
    body: { thread_ids: [] },
    fields: {
      thread_ids: ["text", 7, {}, null, [7], [null], ["no-uuid"], Array(1_001).fill(crypto.randomUUID())],
      strategy: badChoice,
    },
  },
  "GET /threads/{threadId}": { query: { include: ["%00"] } },
  "GET /threads/{threadId}/storage": {},
  "PATCH /threads/{threadId}": { body: {}, fields: { metadata: badDocument, ttl: badTtl } },
  "DELETE /threads/{threadId}": {},
  "POST /threads/{threadId}/copy": { unknownId: 409 },

  "GET /threads/{threadId}/state": { query: { subgraphs: flagInQuery } },
  "POST /threads/{threadId}/state": {
    body: { values: {}, as_node: "one" },
    fields: { ...checkpoint, values: [7, "text", true], as_node: badText, checkpoint_id: badText },
  },
  "PATCH /threads/{threadId}/state": { body: { metadata: {} }, fields: { metadata: badDocument } },
  "GET /threads/{threadId}/state/{checkpointId}": { query: { subgraphs: flagInQuery } },
  "POST /threads/{threadId}/state/checkpoint": { body: { checkpoint: {} }, fields: { ...checkpoint, subgraphs: badFlag } },
  "GET /threads/{threadId}/history": { query: { limit: limitInQuery, before: ["%00"] } },
  "POST /threads/{threadId}/history": {
    body: {},
    fields: {
      ...checkpoint,
      limit: badLimit,
      metadata: badDocument,
      before: [7, [], {}, nul, { checkpoint_id: 7 }, { configurable: {} }, { configurable: { checkpoint_id: lone } }],
    },
  },

  "POST /threads/{threadId}/commands": {
    unknownId: 200, // the status is 200, and the body has an error
    body: { id: 1, method: "state.get" },
    fields: { id: ["1", -1, 1.5, null, {}, 2 ** 60], method: [7, "", null, {}, [], "x".repeat(101)] },
  },
  "POST /threads/{threadId}/stream/events": {
    unknownId: 200, // the request waits for the thread
    body: { channels: ["values"] },
    fields: {
      channels: [...badList, [], [nul], [lone], Array(101).fill("values")],
      namespaces: [7, "text", {}, ["text"], [[7]], [[nul]], Array(101).fill([]), [Array(101).fill("a")]],
      depth: [-1, 1.5, "1", {}, 1e9],
      since: [-1, 1.5, "1", {}, 2 ** 60],
    },
  },
  "GET /threads/{threadId}/stream": {
    query: { stream_mode: ["nonsense", "values"], stream_modes: ["nonsense", "run_modes&stream_modes=nonsense"] },
    headers: { "last-event-id": ["abc", "12abc", "1.5", "-2", "1 2", "0x1", "1700000000-0", "9".repeat(16)] },
  },

  "POST /interrupts/search": {
    body: {},
    fields: {
      ...paging,
      graph_id: badText,
      assistant_id: badText,
      thread_id: badId,
      created_since: badTime,
      created_until: badTime,
      deadline_since: badTime,
      deadline_until: badTime,
      sort_by: [...badChoice, "updated_at"],
      sort_order: badChoice,
      select: [...badList, ["nonsense"], ["__proto__"]],
      exact: ["true", 1, {}],
    },
  },

  "POST /feedback/tokens/{token}": {
    body: {},
    fields: {
      score: ["1", {}, []],
      value: [[], nul, lone, "x".repeat(10_001)],
      comment: [7, true, {}, [], nul, lone, "x".repeat(10_001)],
      correction: [7, true, [], nul, lone],
      metadata: badDocument,
    },
  },
  "GET /feedback/tokens/{token}": {
    query: {
      score: ["", "good", "1e3", "0x10", "NaN", "%00"],
      value: ["%00"],
      comment: ["%00", "x".repeat(10_001)],
      correction: ["%00"],
    },
  },
  "GET /threads/{threadId}/runs/{runId}/feedback": {},
  "POST /feedback/search": {
    body: {},
    fields: {
      ...paging,
      run_id: badId,
      thread_id: badId,
      assistant_id: badText,
      graph_id: badText,
      key: ["", ...badText],
      score_min: ["1", {}, true, null],
      score_max: ["1", {}, true, null],
      given_since: badTime,
      given_until: badTime,
      exact: ["true", 1, {}],
    },
  },

  "GET /webhooks/dead": { query: { limit: limitInQuery, offset: offsetInQuery } },
  "POST /webhooks/redrive": {
    body: {},
    fields: { run_ids: ["text", 7, {}, [], [7], [null], ["no-uuid"], Array(1_001).fill(crypto.randomUUID())] },
  },

  "GET /dead-letters": {
    query: { limit: limitInQuery, offset: offsetInQuery, kind: choiceInQuery, state: choiceInQuery, since: timeInQuery, graph: ["%00"] },
  },
  "GET /dead-letters/{letterId}": {},
  "POST /dead-letters/redrive": {
    body: { filter: { graph: "none" } },
    fields: { ...chosenLetters, parallel: [0, -1, 2.5, "10", null, {}, 1_001] },
  },
  "POST /dead-letters/discard": { body: { filter: { graph: "none" } }, fields: chosenLetters },

  "POST /plans": {
    body: { subtasks: [{ id: "a" }] },
    fields: {
      plan_id: badId.slice(0, -1),
      type: [...badShort, ""],
      title: badShort,
      metadata: badDocument,
      subtasks: [
        "text",
        7,
        {},
        null,
        [],
        [7],
        [{}],
        [{ id: "" }],
        [{ id: nul }],
        [{ id: "a" }, { id: "a" }],
        [{ id: "a", depends_on: ["b"] }],
      ],
    },
  },
  "GET /plans": { query: { limit: limitInQuery, offset: offsetInQuery, active: ["maybe", "2", "%00"], type: ["%00"] } },
  "GET /plans/{planId}": {},
  "PATCH /plans/{planId}/tasks/{taskId}": {
    body: { status: "running" },
    fields: { status: [...badChoice, null], error: badShort, agent: badShort, force: ["true", 1, {}], result: ["x".repeat(1_000_000)] },
  },
  "DELETE /plans/{planId}": {},
  "GET /threads/{threadId}/plan": {},

  "GET /v1/models": {},
  "GET /v1/models/{model}": {},
  "POST /v1/chat/completions": {
    body: { model: "create-agent", messages: [{ role: "user", content: "Hi" }] },
    fields: {
      ...openAi,
      messages: ["text", 7, {}, null, [], [7], [{}], [{ role: "nobody", content: "Hi" }], [{ role: "user", content: nul }]],
      n: ["1", 1.5, {}],
      stream_options: [7, "text", []],
    },
  },
  "POST /v1/responses": {
    body: { model: "create-agent", input: "Hi" },
    fields: { ...openAi, input: [7, {}, null, [], [7]], previous_response_id: ["", 7, "x", "resp_x", nul], store: ["yes", 1] },
  },
  "GET /v1/responses/{responseId}": { query: { stream: ["maybe"], starting_after: ["x", "-1", "1.5"] } },
  "POST /v1/responses/{responseId}/cancel": {},
  "DELETE /v1/responses/{responseId}": {},

  "POST /threads/{threadId}/runs": runCreate,
  "POST /threads/{threadId}/runs/stream": runCreate,
  "POST /threads/{threadId}/runs/wait": runCreate,
  "POST /runs": runCreate,
  "POST /runs/stream": runCreate,
  "POST /runs/wait": runCreate,
  "POST /runs/batch": { body: [runCreate.body], fields: { 0: [7, null, "text", {}], "0.thread_id": badId, "0.metadata": badDocument } },
  "POST /runs/search": {
    body: {},
    fields: {
      ...paging,
      status: [...badChoice, ["pending", "nonsense"], [null]],
      graph_id: badText,
      assistant_id: badText,
      thread_id: badId,
      metadata: badDocument,
      error: ["", "x".repeat(1_001), ...badText],
      created_since: badTime,
      created_until: badTime,
      updated_since: badTime,
      updated_until: badTime,
      sort_by: [...badChoice, "status"],
      sort_order: badChoice,
      select: [...badList, ["nonsense"], ["__proto__"], ["auth_user"], ["output"]],
      exact: ["true", 1, {}],
    },
  },
  "GET /threads/{threadId}/runs": {
    query: {
      limit: limitInQuery,
      offset: offsetInQuery,
      status: choiceInQuery,
      select: ["nonsense", "run_id&select=nonsense", "__proto__"],
    },
  },
  "GET /threads/{threadId}/runs/{runId}": {},
  "GET /threads/{threadId}/runs/{runId}/timeline": {},
  "DELETE /threads/{threadId}/runs/{runId}": {},
  "GET /threads/{threadId}/runs/{runId}/join": { query: joinQuery },
  "GET /threads/{threadId}/runs/{runId}/stream": { query: joinQuery, headers: lastEventId },
  "GET /runs/{runId}/stream": { query: joinQuery, headers: lastEventId },
  "POST /threads/{threadId}/runs/{runId}/cancel": { query: { wait: flagInQuery, action: choiceInQuery } },
  "POST /runs/cancel": {
    body: { status: "pending" },
    query: { action: choiceInQuery },
    fields: { status: badChoice, thread_id: badId, run_ids: ["text", {}, [], [7], ["no-uuid"], Array(1_001).fill(crypto.randomUUID())] },
  },

  "PUT /store/items": {
    body: { namespace: ["a"], key: "k", value: {} },
    fields: {
      namespace: badPath,
      key: badText,
      value: [...badDocument, null],
      ttl: [0, -1, "5", true, {}, [], 1e12],
      index: [true, 7, "text", {}, [7], [null], [nul]],
    },
  },
  "GET /store/items": {
    search: "?namespace=a&key=k",
    query: {
      namespace: ["a%00b&key=k", "a.%00&key=k", "a&namespace=%00&key=k"],
      key: ["%00&namespace=a", "k&key=l&namespace=a"],
      refresh_ttl: flagInQuery.map((flag) => `${flag}&namespace=a&key=k`),
    },
  },
  "DELETE /store/items": { body: { namespace: ["a"], key: "k" }, fields: { namespace: badPath, key: badText } },
  "POST /store/items/search": {
    body: { namespace_prefix: [] },
    fields: { ...paging, namespace_prefix: badPath, filter: badDocument, query: badText, refresh_ttl: ["true", 1, {}] },
  },
  "POST /store/namespaces": {
    body: {},
    fields: { ...paging, prefix: badPath, suffix: badPath, max_depth: [0, -1, 2.5, "x", 1e9, true] },
  },

  "POST /a2a/{assistantId}": { body: { jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} } },
  "GET /a2a/{assistantId}/.well-known/agent-card.json": {},
  "GET /.well-known/agent-card.json": { search: "?assistant_id=steps", query: { assistant_id: ["%00", "a&assistant_id=b"] } },

  "POST /runs/crons": cronCreate,
  "POST /threads/{threadId}/runs/crons": cronCreate,
  "GET /runs/crons/{cronId}": {},
  "PATCH /runs/crons/{cronId}": { body: {}, fields: cronFields },
  "DELETE /runs/crons/{cronId}": {},
  "POST /runs/crons/search": {
    body: {},
    fields: { ...cronFilter, ...paging, sort_by: badChoice, sort_order: badChoice, select: [...badList, ["nonsense"], ["__proto__"]] },
  },
  "POST /runs/crons/count": { body: {}, fields: cronFilter },
};
