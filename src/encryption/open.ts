import { SealingError } from "../db/sealable.ts";
import { isDocument, isJsonValue } from "./documents.ts";
import type { EncryptionContext, Handlers, Json } from "./handlers.ts";
import { openDocument } from "./open-document.ts";
import { asBuffer, type Known, readSealed, type SealedText, type StoredText } from "./sealed-text.ts";

/** Decrypts values. Each value names the handlers that have encrypted it. Values in `known` are not decrypted again. */
export interface Opener {
  text(text: string, known: Known): Promise<string>;
  bytes(text: string, known: Known): Promise<Buffer>;
  json(text: string, known: Known): Promise<unknown>;
}

/** Returns an opener for values that any of these handlers have encrypted. */
export function createOpener(all: Handlers[]): Opener {
  const readers = new Map(all.map((handlers) => [handlers.kind, handlers]));

  function readerOf({ kind }: SealedText): Handlers {
    const reader = readers.get(kind);
    if (!reader) throw new SealingError(missing[kind]);
    return reader;
  }

  async function open(sealed: StoredText, known: Known): Promise<Buffer> {
    const plain = known.get(sealed.text) ?? (await readerOf(sealed).decryptBlob(contextIn(sealed), sealed.payload));
    return typeof plain === "string" ? Buffer.from(plain) : asBuffer(plain);
  }

  async function openFields(sealed: SealedText, document: Json, keys: string[]): Promise<Json> {
    const { decryptJson } = readerOf(sealed);
    if (!decryptJson) throw new SealingError("It was encrypted by encrypt.json, and the project has no decrypt.json any more.");
    return checked(await decryptJson(contextIn(sealed), document), keys);
  }

  async function openValue(sealed: StoredText, known: Known): Promise<unknown> {
    if (sealed.form === "j") return (await openFields(sealed, { value: JSON.parse(sealed.payload.toString()) }, ["value"])).value;
    const text = (await open(sealed, known)).toString();
    return sealed.form === "t" ? text : JSON.parse(text);
  }

  const json = (text: string, known: Known) =>
    openDocument(JSON.parse(text), { openValue: (sealed) => openValue(sealed, known), openFields, known });
  return {
    json,
    async text(text, known) {
      const sealed = readSealed(text);
      if (!sealed) return isJson(text) ? JSON.stringify(await json(text, known)) : text;
      const value = await openValue(sealed, known); // one value of an encrypted document, which SQL selected with `->>`
      return typeof value === "string" ? value : JSON.stringify(value);
    },
    async bytes(text, known) {
      const sealed = readSealed(text);
      return sealed ? open(sealed, known) : Buffer.from(text);
    },
  };
}

/**
 * Returns the result of the project's `decrypt.json` if it is valid. Throws if the result lacks one of the keys, or if a value under these
 * keys is not JSON.
 */
function checked(plain: unknown, keys: string[]): Json {
  if (!isDocument(plain))
    throw new SealingError(`decrypt.json returned ${Array.isArray(plain) ? "an array" : String(plain)} in place of a document.`);
  const wrong = keys.find((key) => !isJsonValue(plain[key]));
  if (wrong !== undefined) throw new SealingError(`decrypt.json returned no JSON value for "${wrong}".`);
  return plain;
}

const missing = {
  a: "It was encrypted with LANGGRAPH_AES_KEY, which is not set. Set it to the key with which the value was stored.",
  h: "It was encrypted by the handlers of the project: langgraph.json needs `encryption.path`.",
} as const;

const contextIn = ({ model, field, context }: SealedText): EncryptionContext => ({ model, field, metadata: context });

/** Tells whether a text is JSON. Any other text, such as an error message, may contain the prefix of encrypted values by chance. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
