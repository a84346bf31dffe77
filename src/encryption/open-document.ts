import type { Json } from "./handlers.ts";
import { type Known, readSealed, type SealedText, type StoredText } from "./sealed-text.ts";

interface Openers {
  openValue(sealed: StoredText): Promise<unknown>;
  /**
   * Decrypts the values of `document` under `keys`, which the project's handler for documents has encrypted. The other values of `document`
   * are readable, and the handler may need them to choose the key.
   */
  openFields(sealed: SealedText, document: Json, keys: string[]): Promise<Json>;
  known: Known;
}

/** Returns a document with every encrypted value replaced by its plain value. The document itself is changed. */
export async function openDocument(document: unknown, openers: Openers): Promise<unknown> {
  const holder = { document };
  await openIn(holder, openers);
  return holder.document;
}

/**
 * Replaces the encrypted values in an object or an array, at any depth. The content of a decrypted value is not searched, even if it looks
 * like an encrypted value.
 */
async function openIn(container: object, openers: Openers): Promise<void> {
  const work: Promise<unknown>[] = [];
  const byHandler = new Map<string, SealedText>();
  for (const [key, value] of Object.entries(container)) {
    if (typeof value === "object" && value !== null) work.push(openIn(value, openers));
    const sealed = typeof value === "string" ? readSealed(value) : undefined;
    if (sealed?.form === "j") byHandler.set(key, sealed);
    else if (sealed) work.push(openers.openValue(sealed).then((plain) => replace(container, key, plain)));
  }
  // Looks up the whole object before the first `await`, because its key in `known` is its text with all values still encrypted.
  const isLookedUp = byHandler.size > 0 && openers.known.size > 0;
  const known = isLookedUp ? openers.known.get(JSON.stringify(container)) : undefined;
  await Promise.all(work);
  if (known !== undefined) return replaceAll(container, byHandler.keys(), JSON.parse(String(known)));
  for (const [, fields] of Map.groupBy(byHandler, ([, sealed]) => JSON.stringify([sealed.model, sealed.field, sealed.context])))
    await openFieldsOf(container, fields, openers);
}

/**
 * Decrypts the values of one object that the project's handler encrypted with the same context. The handler gets the whole object, because
 * it may need a readable value to choose the key.
 */
async function openFieldsOf(container: object, fields: [string, SealedText][], { openFields }: Openers): Promise<void> {
  const [first] = fields;
  if (!first) return;
  const encrypted = Object.fromEntries(fields.map(([key, { payload }]) => [key, JSON.parse(payload.toString())]));
  const keys = fields.map(([key]) => key);
  replaceAll(container, keys, await openFields(first[1], { ...container, ...encrypted }, keys));
}

function replaceAll(container: object, keys: Iterable<string>, plain: Json): void {
  for (const key of keys) replace(container, key, plain[key]);
}

/** Replaces a value. An assignment to the key "__proto__" would change the prototype instead. */
function replace(container: object, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}
