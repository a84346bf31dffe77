import { ServiceError } from "../errors.ts";

/**
 * The size limit of a namespace and a key together, in bytes. Postgres stores both in one index entry, which must fit into a third of a
 * page.
 */
const mostBytes = 1_000;
const mostLabels = 32;

/** Throws if the namespace is not valid over HTTP. There, dots separate the labels of a namespace, so a label must not contain a dot. */
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
 * Throws if the namespace or the key is too large to be stored, or if the namespace is empty. Over HTTP, `checkNamespace` must also be
 * called, which also forbids labels with dots.
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
