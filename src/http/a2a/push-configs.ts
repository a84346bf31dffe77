import type {
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { PushNotificationNotSupportedError } from "@a2a-js/sdk/errors";
import type { A2aCall } from "./a2a-call.ts";

/** Returns the operations on the push notification configs of tasks. */
export function pushConfigs(_call: A2aCall) {
  const refuse = async (): Promise<never> => {
    throw new PushNotificationNotSupportedError();
  };
  return {
    create: (_config: TaskPushNotificationConfig): Promise<TaskPushNotificationConfig> => refuse(),
    get: (_params: GetTaskPushNotificationConfigRequest): Promise<TaskPushNotificationConfig> => refuse(),
    list: (_params: ListTaskPushNotificationConfigsRequest): Promise<ListTaskPushNotificationConfigsResponse> => refuse(),
    remove: (_params: DeleteTaskPushNotificationConfigRequest): Promise<void> => refuse(),
  };
}
