import { z } from "zod";
import type { Endpoint } from "./card.ts";
import { RequestFailed } from "./requests.ts";

/** The reply of a remote agent: the text of a direct answer, or the current state of a task. */
export type Said = { answer: string } | Task;

export interface Task {
  taskId: string;
  /**
   * The state of the task, under its name in protocol version 0.3. Undefined if the agent sent only a part of the task's result (an
   * artifact), because such a reply has no state.
   */
  state?: string | undefined;
  /** The result of the task, or the task's last message if there is no result. */
  text: string;
}

/** The methods of the protocol, by version. */
const methods = {
  "0.3": { send: "message/send", stream: "message/stream", get: "tasks/get", cancel: "tasks/cancel" },
  "1.0": { send: "SendMessage", stream: "SendStreamingMessage", get: "GetTask", cancel: "CancelTask" },
};

export const methodOf = ({ version }: Endpoint, name: keyof (typeof methods)["1.0"]): string => methods[version][name];

export interface Message {
  id: string;
  text: string;
  /** The id of the remote task that the message continues. Undefined for a message that begins a new task. */
  taskId?: string | undefined;
}

/**
 * Returns the parameters of the request that sends a message. They ask the agent to reply immediately, without waiting until the task is
 * done.
 */
export function messageParams({ version, tenant }: Endpoint, { id, text, taskId }: Message): object {
  const common = { messageId: id, ...(taskId && { taskId }) };
  if (version === "0.3") {
    const message = { kind: "message", role: "user", parts: [{ kind: "text", text }], ...common };
    return { message, configuration: { blocking: false } };
  }
  const message = { role: "ROLE_USER", parts: [{ text }], ...common };
  return { message, configuration: { returnImmediately: true }, ...(tenant && { tenant }) };
}

export const taskParams = ({ tenant }: Endpoint, taskId: string): object => ({ id: taskId, ...(tenant && { tenant }) });

const Part = z.looseObject({
  text: z.string().optional(),
  data: z.unknown().optional(),
  file: z.looseObject({ uri: z.string().optional(), name: z.string().optional() }).optional(),
  url: z.string().optional(),
  filename: z.string().optional(),
});
const Parts = z.array(Part).default([]);
const Words = z.looseObject({ parts: Parts });
const Status = z.looseObject({ state: z.string(), message: Words.nullish() });

const Spoken = z.looseObject({ messageId: z.string(), parts: Parts });
const Told = z.looseObject({
  id: z.string(),
  status: Status,
  artifacts: z.array(Words).nullish(),
});
const Update = z.looseObject({ taskId: z.string(), status: Status.optional() });

/** Reads the reply in a JSON-RPC result. Accepts the results of both versions of the protocol. */
export function readSaid(result: unknown): Said {
  const { task, message, statusUpdate, artifactUpdate } = Object(result);
  const said = task ?? message ?? statusUpdate ?? artifactUpdate ?? result;
  const told = Told.safeParse(said);
  if (told.success) return taskOf(told.data);
  const spoken = Spoken.safeParse(said);
  if (spoken.success) return { answer: textOf(spoken.data.parts) };
  const update = Update.safeParse(said);
  if (update.success) {
    const { taskId, status } = update.data;
    return { taskId, state: status && stateOf(status.state), text: textOf(status?.message?.parts ?? []) };
  }
  throw new RequestFailed("The agent answers with neither a message nor a task.");
}

/** Reads the task that `tasks/get` returns. */
export function readTask(result: unknown): Task {
  const said = readSaid(result);
  if ("taskId" in said) return said;
  throw new RequestFailed("The agent answers with no task.");
}

function taskOf({ id, status, artifacts }: z.infer<typeof Told>): Task {
  const results = (artifacts ?? []).map(({ parts }) => textOf(parts)).join("\n\n");
  const state = stateOf(status.state);
  const message = textOf(status.message?.parts ?? []);
  return { taskId: id, state, text: state === "completed" ? results || message : message || results };
}

/** Converts the name of a task's state to the form of version 0.3. For example, `TASK_STATE_INPUT_REQUIRED` becomes `input-required`. */
const stateOf = (state: string) =>
  state
    .replace(/^TASK_STATE_/, "")
    .replaceAll("_", "-")
    .toLowerCase();

/**
 * Returns the text of a message's parts. Data is returned as JSON. A file is returned as its name and its URL, because a model cannot read
 * the file's content here.
 */
function textOf(parts: z.infer<typeof Parts>): string {
  return parts
    .map(({ text, data, file, url, filename }) => {
      if (text !== undefined) return text;
      if (data !== undefined) return JSON.stringify(data);
      return `[File: ${[file?.name ?? filename, file?.uri ?? url].filter(Boolean).join(" ") || "without a name"}]`;
    })
    .join("\n");
}
