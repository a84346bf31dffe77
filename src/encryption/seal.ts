import { isDeepStrictEqual } from "node:util";
import { type Sealable, type SealedColumn, type SealingContext, sealedColumns, sealingUser, UnsealableValue } from "../db/sealable.ts";
import { isDocument, isJsonValue, sealDocument } from "./documents.ts";
import type { Handlers, Json } from "./handlers.ts";
import { isPlainKey } from "./plain-keys.ts";
import { asBuffer, type Known, looksSealed, writeSealed } from "./sealed-text.ts";

/**
 * Returns a function that finds the encryption context for the user of the present request or attempt. Without a user, the context is
 * empty. The project's handler computes the context only once for each user object. If the handler fails, the next call tries again.
 */
export function contextFinder({ contextOf }: Pick<Handlers, "contextOf">): () => Promise<SealingContext> {
  const contexts = new WeakMap<object, Promise<SealingContext>>();

  return async () => {
    const user = contextOf && sealingUser.getStore();
    if (!contextOf || !user) return {};
    const context = contexts.get(user) ?? (async () => contextOf(user))();
    contexts.set(user, context);
    return context.catch((error) => {
      contexts.delete(user);
      throw error;
    });
  };
}

/** The data that is needed to encrypt one value. `known` collects each encrypted value together with its plain form. */
interface Sealing {
  handlers: Handlers;
  column: SealedColumn;
  context: SealingContext;
  known: Known;
}

/**
 * Returns the text that is stored in place of a value. `findContext` returns the encryption context of the present user. Adds every
 * encrypted value to `known`.
 */
export async function sealOf(
  handlers: Handlers,
  { name, plain }: Sealable,
  findContext: () => Promise<SealingContext>,
  known: Known,
): Promise<string> {
  const column: SealedColumn = sealedColumns[name];
  const sealing: Sealing = { handlers, column, context: await findContext(), known };
  if (column.form === "whole") return sealPlain(sealing, "t", plain);
  return JSON.stringify(await sealDocument(JSON.parse(String(plain)), column, partSealer(sealing)));
}

async function sealPlain(
  { handlers, column: { model, field }, context, known }: Sealing,
  form: "t" | "v",
  plain: string | Uint8Array,
): Promise<string> {
  const bytes = typeof plain === "string" ? Buffer.from(plain) : asBuffer(plain);
  const payload = asBuffer(await handlers.encryptBlob({ model, field, metadata: context }, bytes));
  const sealed = writeSealed({ kind: handlers.kind, form, model, field, context, payload });
  known.set(sealed, plain);
  return sealed;
}

function partSealer(sealing: Sealing) {
  const { handlers, column } = sealing;
  const value = async (plain: unknown) => (plain === null || plain === undefined ? plain : sealPlain(sealing, "v", JSON.stringify(plain)));
  const isPlain = (key: string) => isPlainKey(key) || (column.plainKeys?.includes(key) ?? false);
  const staysReadable = (key: string) => isPlain(key) || (column.isSearched === true && !handlers.searchedKeys.has(key));
  return {
    value,
    fields: (document: Json) =>
      handlers.encryptJson ? sealByHandler(sealing, isPlain, document) : sealEach(document, staysReadable, value),
  };
}

async function sealEach(
  document: Json,
  staysReadable: (key: string) => boolean,
  seal: (value: unknown) => Promise<unknown>,
): Promise<Json> {
  const entries = Object.entries(document).map(
    async ([key, value]) => [key, staysReadable(key) ? readableValue(key, value) : await seal(value)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Lets the project's handler encrypt a document. A value that the handler returns unchanged is stored unencrypted, so that searches can
 * match it. Each changed value is stored with the prefix of encrypted values.
 */
async function sealByHandler(sealing: Sealing, isPlain: (key: string) => boolean, document: Json): Promise<Json> {
  const { handlers, column, context, known } = sealing;
  const { kind, encryptJson } = handlers;
  const { model, field } = column;
  const given = Object.fromEntries(Object.entries(document).filter(([key]) => !isPlain(key)));
  if (!encryptJson || Object.keys(given).length === 0) return document;
  const sealed: unknown = await encryptJson({ model, field, metadata: context }, structuredClone(given));
  if (!isDocument(sealed) || !isDeepStrictEqual(Object.keys(sealed).sort(), Object.keys(given).sort()))
    throw new UnsealableValue("encrypt.json must return a document with the same keys. It may change only the values.");
  const entries = Object.entries(document).map(([key, value]) => {
    if (isPlain(key) || isDeepStrictEqual(sealed[key], value)) return [key, readableValue(key, value)] as const;
    if (!isJsonValue(sealed[key])) throw new UnsealableValue(`encrypt.json returned no JSON value for "${key}".`);
    const payload = Buffer.from(JSON.stringify(sealed[key]));
    return [key, writeSealed({ kind, form: "j", model, field, context, payload })] as const;
  });
  const stored = Object.fromEntries(entries);
  known.set(JSON.stringify(stored), JSON.stringify(document));
  return stored;
}

/** Returns a value that is stored unencrypted. Throws if the value contains a text that looks like an encrypted value. */
function readableValue(key: string, value: unknown): unknown {
  if (value !== null && (typeof value === "object" || typeof value === "string") && looksSealed(JSON.stringify(value)))
    throw new UnsealableValue(`"${key}" contains a text that looks like an encrypted value.`);
  return value;
}
