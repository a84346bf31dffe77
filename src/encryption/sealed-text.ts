import type { SealingContext } from "../db/sealable.ts";
import type { Handlers } from "./handlers.ts";

/** The beginning of every encrypted value. */
export const mark = "ensemble.sealed:";

/**
 * The parts of an encrypted value. `kind` names the handlers that have encrypted the value. `form` tells what the encrypted bytes hold:
 * - "t": a text or bytes
 * - "v": a JSON value
 * - "j": a JSON value that the project's handler for documents has returned
 */
export interface SealedText {
  kind: Handlers["kind"];
  form: "t" | "v" | "j";
  model: string;
  field: string;
  context: SealingContext;
  payload: Buffer;
}

/**
 * Maps the values that one statement has encrypted to their plain text or bytes, so that the same values in its result need not be
 * decrypted. A key is usually one encrypted value. For a document that the project's handler has encrypted, the key is the whole stored
 * document as JSON, and the value is the plain document as JSON.
 */
export type Known = Map<string, string | Uint8Array>;

/** Returns an encrypted value as text. The text has only characters that JSON does not escape. */
export function writeSealed({ kind, form, model, field, context, payload }: SealedText): string {
  const head = Object.keys(context).length > 0 ? [model, field, context] : [model, field];
  return `${mark}${kind}${form}:${Buffer.from(JSON.stringify(head)).toString("base64url")}:${payload.toString("base64")}`;
}

const pattern = /^ensemble\.sealed:([ah])([tvj]):([\w-]+):([A-Za-z0-9+/]*={0,2})$/;

const sealedString = /"(?:\s|\\[nrtf])*ensemble\.sealed:[ah][tvj]:/;

/** Tells whether a JSON text contains a string that would be taken for an encrypted value. */
export const looksSealed = (json: string): boolean => sealedString.test(json);

/** An encrypted value that was read, with its whole text. */
export interface StoredText extends SealedText {
  text: string;
}

/** Returns the parts of an encrypted value. Returns undefined for any other text. */
export function readSealed(text: string): StoredText | undefined {
  if (!text.startsWith(mark)) return undefined;
  const [, kind, form, head = "", payload = ""] = pattern.exec(text) ?? [];
  if (kind === undefined) return undefined;
  const parsed = parsedHead(head);
  if (!parsed) return undefined;
  const [model, field, context = {}] = parsed;
  return {
    text,
    kind: kind as SealedText["kind"],
    form: form as SealedText["form"],
    model,
    field,
    context,
    payload: Buffer.from(payload, "base64"),
  };
}

function parsedHead(head: string): [string, string, SealingContext?] | undefined {
  try {
    const parts = JSON.parse(Buffer.from(head, "base64url").toString());
    return Array.isArray(parts) && typeof parts[0] === "string" && typeof parts[1] === "string" ? (parts as [string, string]) : undefined;
  } catch {
    return undefined;
  }
}

export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
