import type { Push, StoredRun } from "./webhooks.ts";

/**
 * Returns the headers and the body of a push notification. The body is the task with its status, in the client's version of the Agent2Agent
 * protocol. Artifacts are left out, because they may be large. The receiver can read them with GetTask.
 */
export function writePush(
  { task_id: id, state, version, token, scheme, credentials }: Push,
  { thread_id, run_ended_at, error }: StoredRun,
) {
  const isNew = version === "1.0";
  const status = {
    state: isNew ? `TASK_STATE_${state.toUpperCase().replace("-", "_")}` : state,
    timestamp: new Date(run_ended_at).toISOString(),
    ...(error && { message: messageOf({ id, contextId: String(thread_id), text: error.message, isNew }) }),
  };
  const task = { id, contextId: thread_id, status };
  return {
    headers: {
      "content-type": isNew ? "application/a2a+json" : "application/json",
      ...(token && { "x-a2a-notification-token": token }),
      ...(scheme && { authorization: `${scheme} ${credentials}` }),
    },
    body: JSON.stringify(isNew ? { task } : { kind: "task", ...task }),
  };
}

function messageOf({ id, contextId, text, isNew }: { id: string; contextId: string; text: string; isNew: boolean }): object {
  const common = { messageId: `${id}-status`, taskId: id, contextId };
  return isNew
    ? { ...common, role: "ROLE_AGENT", parts: [{ text }] }
    : { kind: "message", ...common, role: "agent", parts: [{ kind: "text", text }] };
}
