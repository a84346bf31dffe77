import { z } from "zod";
import type { SealingContext } from "../db/sealable.ts";
import type { EncryptionContext, Handlers, Json } from "./handlers.ts";

const isFunction = (value: unknown): boolean => typeof value === "function";
const blob = z.custom<(context: EncryptionContext, bytes: Uint8Array) => Promise<Uint8Array>>(isFunction, "must be a function");
const json = z.custom<(context: EncryptionContext, document: Json) => Promise<Json>>(isFunction, "must be a function");

/** The object that `encryption.path` of langgraph.json names. */
const Encryption = z
  .object({
    encrypt: z.object({ blob, json: json.optional() }),
    decrypt: z.object({ blob, json: json.optional() }),
    /** Returns facts about the user, by which the handlers choose the key. These facts are stored unencrypted with each value. */
    context: z.custom<(user: unknown, context: EncryptionContext) => Promise<SealingContext>>(isFunction, "must be a function").optional(),
  })
  .refine(({ encrypt, decrypt }) => (encrypt.json === undefined) === (decrypt.json === undefined), {
    path: ["json"],
    message: "needs both encrypt.json and decrypt.json, or neither",
  });

const Context = z.record(z.string(), z.unknown());

/** The JavaScript export with which a project provides its encryption handlers. */
export interface ProjectEncryption {
  /** The name of the export, for errors. */
  name: string;
  exported: unknown;
  /** The number of seconds after which a call of a handler is given up. A call would otherwise occupy its database connection for ever. */
  timeoutSeconds: number;
}

/** Returns the handlers of the project. Throws if the export does not have the expected form. */
export function projectHandlers({ name, exported, timeoutSeconds }: ProjectEncryption): Handlers {
  const { data, error } = Encryption.safeParse(exported);
  if (!data) {
    const [issue] = error.issues;
    throw new Error(
      `${name} is not an encryption: ${issue?.path.join(".") || "the export"} ${issue?.message}. It needs encrypt.blob and decrypt.blob, and may have encrypt.json, decrypt.json and context.`,
    );
  }
  const { encrypt, decrypt, context } = data;
  const call = caller(timeoutSeconds);
  return {
    kind: "h",
    searchedKeys: new Set(),
    encryptBlob: async (of, bytes) => bytesFrom("encrypt.blob", await call("encrypt.blob", () => encrypt.blob(of, bytes))),
    decryptBlob: async (of, bytes) => bytesFrom("decrypt.blob", await call("decrypt.blob", () => decrypt.blob(of, bytes))),
    encryptJson: encrypt.json && ((of, document) => call("encrypt.json", () => encrypt.json?.(of, document) as Promise<Json>)),
    decryptJson: decrypt.json && ((of, document) => call("decrypt.json", () => decrypt.json?.(of, document) as Promise<Json>)),
    contextOf:
      context && (async (user) => Context.parse(await call("context", () => context(user, { model: "", field: "", metadata: {} })))),
  };
}

/** Returns a function that calls a handler, and throws if the handler does not answer in time. */
function caller(seconds: number) {
  return async <T>(handler: string, work: () => Promise<T>): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const failure = new Error(`${handler} did not answer within ${seconds} seconds (ENSEMBLE_ENCRYPTION_TIMEOUT_SECS)`);
    const timer = setTimeout(reject, seconds * 1_000, failure);
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function bytesFrom(handler: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new Error(`${handler} returned ${value === null ? "null" : typeof value} in place of a Uint8Array`);
}
