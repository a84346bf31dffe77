import type { SealedColumn } from "../db/sealable.ts";
import type { Json } from "./handlers.ts";

/** Encrypts the parts of one document. */
export interface PartSealer {
  /** Returns the encrypted form of a value. Null stays null. */
  value(value: unknown): Promise<unknown>;
  /** Returns a document with the same keys and encrypted values. */
  fields(document: Json): Promise<Json>;
}

export const isDocument = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Tells whether JSON can express a value. Any other value would change on its way through the database. */
export function isJsonValue(value: unknown, ancestors = new Set<object>()): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || ancestors.has(value) || !["[object Object]", "[object Array]"].includes(String(tagOf.call(value))))
    return false;
  ancestors.add(value);
  const isJson = Object.values(value).every((part) => isJsonValue(part, ancestors));
  ancestors.delete(value);
  return isJson;
}

const tagOf = Object.prototype.toString;

/** Returns a copy of the document in which the parts that `form` names are encrypted. SQL statements can still read all other parts. */
export async function sealDocument(document: unknown, { form }: SealedColumn, sealer: PartSealer): Promise<unknown> {
  if (form === "outcomes") return sealOutcomes(document, sealer);
  if (form === "spans") return Array.isArray(document) ? sealSpans(document, sealer) : sealer.value(document);
  if (!isDocument(document)) return sealer.value(document);
  switch (form) {
    case "config":
      return sealConfig(document, sealer);
    case "request":
      return sealRequest(document, sealer);
    case "interrupts":
      return sealKeys(document, Object.keys(document), (items) => sealQuestions(items, sealer));
    case "error":
      return sealKeys(document, ["message"], sealer.value);
    case "record":
      return sealKeys(document, ["spans"], (spans) => sealSpans(spans, sealer));
    default:
      return sealer.fields(document);
  }
}

/** Returns the document with the values of these keys encrypted. */
async function sealKeys(document: Json, keys: string[], seal: (value: unknown) => Promise<unknown>): Promise<Json> {
  const sealed = await Promise.all(
    Object.entries(document).map(async ([key, value]) => [key, keys.includes(key) ? await seal(value) : value] as const),
  );
  return Object.fromEntries(sealed);
}

const fieldsOrValue = (sealer: PartSealer) => (value: unknown) => (isDocument(value) ? sealer.fields(value) : sealer.value(value));

const sealConfig = (config: Json, sealer: PartSealer) => sealKeys(config, ["configurable", "metadata"], fieldsOrValue(sealer));

/**
 * Encrypts the request of a run. In a command that answers questions, the keys stay readable, because they are the ids of the questions.
 */
async function sealRequest(request: Json, sealer: PartSealer): Promise<Json> {
  const sealed = await sealKeys(request, ["input", "context", "metadata"], fieldsOrValue(sealer));
  return {
    ...sealed,
    ...(isDocument(request.response) && { response: await sealer.value(request.response) }),
    ...(isDocument(request.config) && { config: await sealConfig(request.config, sealer) }),
    ...(isDocument(request.command) && { command: await sealKeys(request.command, Object.keys(request.command), fieldsOrValue(sealer)) }),
  };
}

async function sealQuestions(items: unknown, sealer: PartSealer): Promise<unknown> {
  if (!Array.isArray(items)) return sealer.value(items);
  return Promise.all(items.map((item) => (isDocument(item) ? sealKeys(item, ["value"], sealer.value) : sealer.value(item))));
}

const sealOutcomes = async (list: unknown, sealer: PartSealer): Promise<unknown> =>
  Array.isArray(list) ? Promise.all(list.map((one) => (isDocument(one) ? sealKeys(one, ["lastError"], sealer.value) : one))) : list;

/** The index of the error's text in a stored span, which is an array. */
const errorOfSpan = 9;

async function sealSpans(spans: unknown, sealer: PartSealer): Promise<unknown> {
  if (!Array.isArray(spans)) return spans;
  return Promise.all(
    spans.map(async (span) =>
      Array.isArray(span) && typeof span[errorOfSpan] === "string" ? span.with(errorOfSpan, await sealer.value(span[errorOfSpan])) : span,
    ),
  );
}
