import { isDatabaseTrouble } from "../db/failure.ts";
import { Refused, whatServerSays } from "../db/refused.ts";
import type { CheckpointRows } from "./rows.ts";
import type { Dumped } from "./serializer.ts";

/** The run's error when the database does not take what a step wrote. */
export class RefusedStep extends Refused {
  override name = "StepRefusedError";
}

/** The server takes no message of 1 GiB: it closes the connection without an answer. */
const mostBytes = 2 ** 30 - 2 ** 20;

/** Throws if the rows cannot be sent in one statement. */
export function refuseUnsendable(rows: CheckpointRows): void {
  const characters = valuesOf(rows).reduce(
    (sum, { value }) => sum + (value.type === "bytes" ? value.bytes.byteLength : value.text.length),
    0,
  );
  if (characters > mostBytes / 3 && totalBytes(rows) > mostBytes) throw new Refused("One statement can hold at most 1 GiB.");
}

/** Returns an error of the database with the node, the channel and the size that it was about. Other errors stay as they are. */
export function explainRefusal(error: Error, node: string | undefined, rows: CheckpointRows): Error {
  const isOfDatabase = error instanceof Refused || ("severity" in error && !isDatabaseTrouble(error));
  if (!isOfDatabase) return error;
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
