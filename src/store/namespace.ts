import { ServiceError } from "../errors.ts";

/**
 * The size limit of a namespace and a key together, in bytes. Postgres stores both in one index entry, which must fit into a third of a
 * page.
 */
const mostBytes = 1_000;
const mostLabels = 32;

/** Throws if an item in this namespace could not be reached over HTTP, where a namespace is written with dots between its labels. */
export function checkNamespace(namespace: string[]): void {
  if (namespace.length === 0) throw new ServiceError("malformed", "Namespace is required");
  checkLabels(namespace);
}

/** Throws like `checkNamespace`, but accepts an empty namespace, which matches all items in a search. */
export function checkLabels(namespace: string[]): void {
  checkCount(namespace);
  const wrong = namespace.some((label) => label === "" || label.includes("."));
  if (wrong) throw invalid(`Namespace labels cannot be empty or contain periods. Received: ${namespace.join(".")}`);
}

/**
 * Throws if the namespace and the key are together too large to be stored. Callers over HTTP must also pass `checkNamespace`, which is
 * stricter.
 */
export function checkSize(namespace: string[], key: string): void {
  if (namespace.length === 0) throw new ServiceError("malformed", "Namespace is required");
  checkCount(namespace);
  const size = Buffer.byteLength(namespace.join(""));
  if (size > mostBytes) throw invalid(`The namespace has ${size} bytes; ${mostBytes} are the most.`);
  if (Buffer.byteLength(key) > mostBytes) throw invalid(`The key has ${Buffer.byteLength(key)} bytes; ${mostBytes} are the most.`);
}

function checkCount({ length }: string[]): void {
  if (length > mostLabels) throw invalid(`The namespace has ${length} labels; ${mostLabels} are the most.`);
}

const invalid = (sentence: string) => new ServiceError("invalid", sentence);
