import { isDatabaseTrouble } from "../db/failure.ts";
import { Refused, whatServerSays } from "../db/refused.ts";
import type { CheckpointRows } from "./rows.ts";
import { type Dumped, UnstorableValue } from "./serializer.ts";

/** The error of a run if the database refuses the values that a step wrote. */
export class RefusedStep extends Refused {
  override name = "StepRefusedError";
}

/** The error of a run if a node returned a value that cannot be stored. */
class UnstorableState extends Error {
  constructor(node: string | undefined, { path, kind }: UnstorableValue) {
    super(
      `${node ? `Node "${node}"` : "The input"} wrote a value that cannot be stored: ${path} holds ${kind}. ` +
        "State must be JSON (Date, Map, Set, RegExp, Error and Uint8Array are fine): convert the value before returning it.",
    );
    this.name = "UnstorableState";
  }
}

/**
 * The size limit of one statement in bytes. The server accepts messages below 1 GiB. If a message is larger, the server closes the
 * connection without a reply.
 */
const mostBytes = 2 ** 30 - 2 ** 20;

/** Throws if the rows are too large for one statement. */
export function refuseUnsendable(rows: CheckpointRows): void {
  const characters = valuesOf(rows).reduce(
    (sum, { value }) => sum + (value.type === "bytes" ? value.bytes.byteLength : value.text.length),
    0,
  );
  if (characters > mostBytes / 3 && totalBytes(rows) > mostBytes) throw new Refused("One statement can hold at most 1 GiB.");
}

/**
 * Returns an error that names the node whose values could not be stored. If the database refused the values, the error also names the
 * largest channel and its size. Returns any other error unchanged.
 */
export function explainRefusal(error: Error, node: string | undefined, rows: CheckpointRows): Error {
  if (error instanceof UnstorableValue) return new UnstorableState(node, error);
  const isRefusal = error instanceof Refused || ("severity" in error && !isDatabaseTrouble(error));
  if (!isRefusal) return error;
  const writer = node === undefined ? "the input" : `node "${node}"`;
  return new RefusedStep(
    `The database refuses the step that ${writer} wrote: ${whatServerSays(error)}. ${largestOf(rows)}` +
      "Keep large values outside the state, and only their addresses in it.",
    { cause: error },
  );
}

function largestOf(rows: CheckpointRows): string {
  const [largest] = valuesOf(rows).sort((a, b) => sizeOf(b.value) - sizeOf(a.value));
  if (!largest) return "";
  return `Its largest value, "${largest.channel}" has ${sizeOf(largest.value)} bytes, of ${totalBytes(rows)} in all. `;
}

function valuesOf({ blobs, writes }: CheckpointRows): { channel: string; value: Dumped }[] {
  return [...blobs, ...writes].flatMap(({ channel, value }) => (value ? [{ channel, value }] : []));
}

const sizeOf = (value: Dumped) => (value.type === "bytes" ? value.bytes.byteLength : Buffer.byteLength(value.text));
const totalBytes = (rows: CheckpointRows) => valuesOf(rows).reduce((sum, { value }) => sum + sizeOf(value), 0);
