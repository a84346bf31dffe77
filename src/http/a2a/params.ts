import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { z } from "zod";
import { explain } from "../answers/issues.ts";
import { Json, Text } from "../schemas.ts";

const Name = Text.nullish();
/** A whole number. Clients that write protobuf as JSON may send the number as text. */
const Count = z.union([z.number().int(), z.string().regex(/^-?\d{1,15}$/)]).nullish();
/** A member of an enumeration. In version 1.0, a client may send the member's number instead of its name. */
const Choice = z.union([z.string(), z.number().int()]).nullish();
const Base64 = z.string().regex(/^[\w+/=-]*$/, "must be base64");

const Part = z.looseObject({
  kind: z.enum(["text", "file", "data"]).nullish(),
  text: z.string().nullish(),
  raw: Base64.nullish(),
  url: z.string().nullish(),
  file: z.looseObject({ bytes: Base64.nullish(), uri: z.string().nullish(), name: Name, mimeType: Name }).nullish(),
  filename: Name,
  mediaType: Name,
  metadata: Json.nullish(),
});

const Message = z.looseObject({
  messageId: Name,
  contextId: Name,
  taskId: Name,
  role: Choice,
  parts: z.array(Part).nullish(),
  metadata: Json.nullish(),
  extensions: z.array(Text).nullish(),
  referenceTaskIds: z.array(Text).nullish(),
});

const authentication = z.looseObject({ scheme: Name, credentials: Name, schemes: z.array(Text).nullish() }).nullish();
const PushConfig = z.looseObject({ id: Name, taskId: Name, url: Name, token: Name, authentication });

const Configuration = z.looseObject({
  acceptedOutputModes: z.array(Text).nullish(),
  historyLength: Count,
  returnImmediately: z.boolean().nullish(),
  blocking: z.boolean().nullish(),
  taskPushNotificationConfig: PushConfig.nullish(),
  pushNotificationConfig: PushConfig.nullish(),
});

/**
 * The parameters of all methods in both versions. One schema is enough, because a parameter has the same type in every method. The SDK
 * reads the parameters, but does not check their types. Unknown keys are left to the SDK.
 */
const Params = z.looseObject({
  ...PushConfig.shape,
  tenant: Name,
  contextId: Name,
  status: Choice,
  pageSize: Count,
  pageToken: Name,
  historyLength: Count,
  statusTimestampAfter: Name,
  includeArtifacts: z.boolean().nullish(),
  pushNotificationConfigId: Name,
  pushNotificationConfig: PushConfig.nullish(),
  metadata: Json.nullish(),
  message: Message.nullish(),
  configuration: Configuration.nullish(),
});

/**
 * The methods of version 0.3 whose parameters must contain an object. The SDK's converter reads this object without checking that it is
 * there.
 */
const required: Record<string, "message" | "pushNotificationConfig"> = {
  "message/send": "message",
  "message/stream": "message",
  "tasks/pushNotificationConfig/set": "pushNotificationConfig",
};

/** Returns the error for parameters of a wrong type, which names each field. Returns undefined if the parameters are well formed. */
export function objectionToParams(method: unknown, params: unknown): Error | undefined {
  if (typeof params !== "object" || params === null || Array.isArray(params)) return undefined; // the SDK refuses these itself
  const { error } = Params.safeParse(params);
  const issues = error?.issues.map((issue) => `params.${issue.path.join(".")}: ${explain(issue.message, issue as object)}`) ?? [];
  const field = required[String(method)];
  if (field && !Object(params)[field]) issues.push(`params.${field}: is required`);
  return issues.length > 0 ? new RequestMalformedError(`${issues.slice(0, 10).join("; ")}.`) : undefined;
}
