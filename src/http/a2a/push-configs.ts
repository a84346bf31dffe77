import { validateHeaderValue } from "node:http";
import type {
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { PushNotificationNotSupportedError, RequestMalformedError, TaskNotFoundError } from "@a2a-js/sdk/errors";
import { newId } from "../../db/ids.ts";
import type { Scope } from "../../db/scope.ts";
import { type Db, transaction } from "../../db/sql.ts";
import { notifyOfTask, type TaskRun } from "../../runs/tasks.ts";
import { lockThread } from "../../threads/threads.ts";
import { deletePushConfig, findPushConfigs, mostConfigs, type PushConfig, storePushConfig } from "../../webhooks/push-configs.ts";
import { isPath, objectionTo } from "../../webhooks/webhook-rules.ts";
import { type A2aCall, findTaskOf, readTask } from "./a2a-call.ts";

/** Returns the operations on the push configs of tasks. The caller needs the right to change the task, because configs hold credentials. */
export function pushConfigs(call: A2aCall) {
  const { pool } = call.deps;
  return {
    async create(given: TaskPushNotificationConfig): Promise<TaskPushNotificationConfig> {
      const config = validConfig(call, given, given.taskId);
      const { taskId, threadId, scope } = await changeableTask(call, given.taskId);
      await transaction(pool, async (tx) => {
        if (!(await lockThread(tx, scope, threadId))) throw new TaskNotFoundError();
        await store(tx, { ...config, taskId });
        await notifyOfTask(tx, taskId);
      });
      return toWire({ ...config, taskId });
    },
    async get({ taskId: id, id: configId }: GetTaskPushNotificationConfigRequest): Promise<TaskPushNotificationConfig> {
      const { taskId } = await changeableTask(call, id);
      const [config] = await findPushConfigs(pool, taskId, configId || undefined);
      if (!config) throw new TaskNotFoundError(`The task has no push notification config ${configId}.`);
      return toWire(config);
    },
    async list({ taskId: id }: ListTaskPushNotificationConfigsRequest): Promise<ListTaskPushNotificationConfigsResponse> {
      const { taskId } = await changeableTask(call, id);
      return { configs: (await findPushConfigs(pool, taskId)).map(toWire), nextPageToken: "" };
    },
    async remove({ taskId: id, id: configId }: DeleteTaskPushNotificationConfigRequest): Promise<void> {
      const { taskId } = await changeableTask(call, id);
      await deletePushConfig(pool, taskId, configId);
    },
  };
}

/** Returns a task that the caller may change, with the scope of the threads that the caller may change. */
async function changeableTask(call: A2aCall, id: string): Promise<TaskRun & { scope: Scope }> {
  refuseWithoutWebhooks(call);
  const { threadId } = await readTask(call, id);
  const { scope } = await call.request.access("threads:update", { thread_id: threadId });
  return { ...(await findTaskOf(call, scope, id)), scope };
}

function refuseWithoutWebhooks({ deps }: A2aCall): void {
  if (!deps.settings.sendsWebhooks) throw new PushNotificationNotSupportedError();
}

/** Returns the config that a client sends, with an id. Throws if the service must not send requests to the URL of the config. */
export function validConfig(call: A2aCall, given: TaskPushNotificationConfig, taskId: string): PushConfig {
  refuseWithoutWebhooks(call);
  const { id, authentication } = given;
  const url = given.url ?? ""; // the SDK's converter of version 0.3 may pass null or undefined despite its types
  const token = given.token ?? "";
  const objection = isPath(url) ? "must be a whole URL" : objectionTo(url, call.deps.webhookRules);
  if (objection) throw new RequestMalformedError(`url: ${objection}.`);
  const scheme = authentication?.scheme ?? "";
  const credentials = authentication?.credentials ?? "";
  const texts = { id, token, "authentication.scheme": scheme, "authentication.credentials": credentials };
  for (const [name, value] of Object.entries(texts)) refuseOddText(name, value);
  return { taskId, configId: id || newId(), url, token, scheme, credentials, version: call.version };
}

const longestText = 8_000;

/** Throws if a header cannot carry the text, because the token and the credentials are sent in headers. */
function refuseOddText(name: string, value: string): void {
  try {
    validateHeaderValue("x", value);
  } catch {
    throw new RequestMalformedError(`${name}: holds characters that a header cannot carry.`);
  }
  if (value.length > longestText) throw new RequestMalformedError(`${name}: is longer than ${longestText} characters.`);
}

/** Stores a config. `tx` is either the transaction that creates the run, or a separate transaction. */
export async function store(tx: Db, config: PushConfig): Promise<void> {
  if (!(await storePushConfig(tx, config))) throw new RequestMalformedError(`A task can have ${mostConfigs} push notification configs.`);
}

const toWire = ({ taskId, configId, url, token, scheme, credentials }: PushConfig): TaskPushNotificationConfig => ({
  tenant: "",
  id: configId,
  taskId,
  url,
  token,
  authentication: scheme ? { scheme, credentials } : undefined,
});
