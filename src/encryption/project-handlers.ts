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

/**
 * Returns the handlers of the project. Throws if the export does not have the expected form. The error contains `name`, the name of the
 * export.
 */
export function projectHandlers(name: string, exported: unknown): Handlers {
  const { data, error } = Encryption.safeParse(exported);
  if (!data) {
    const [issue] = error.issues;
    throw new Error(
      `${name} is not an encryption: ${issue?.path.join(".") || "the export"} ${issue?.message}. It needs encrypt.blob and decrypt.blob, and may have encrypt.json, decrypt.json and context.`,
    );
  }
  const { encrypt, decrypt, context } = data;
  return {
    kind: "h",
    searchedKeys: new Set(),
    encryptBlob: async (of, bytes) => bytesFrom("encrypt.blob", await encrypt.blob(of, bytes)),
    decryptBlob: async (of, bytes) => bytesFrom("decrypt.blob", await decrypt.blob(of, bytes)),
    encryptJson: encrypt.json && ((of, document) => encrypt.json?.(of, document) as Promise<Json>),
    decryptJson: decrypt.json && ((of, document) => decrypt.json?.(of, document) as Promise<Json>),
    contextOf: context && (async (user) => Context.parse(await context(user, { model: "", field: "", metadata: {} }))),
  };
}

function bytesFrom(handler: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new Error(`${handler} returned ${value === null ? "null" : typeof value} in place of a Uint8Array`);
}
