import { getHeapStatistics } from "node:v8";
import type { FastifyReply } from "fastify";
import { ServiceError } from "../errors.ts";

/** The share of the heap that large requests and answers may take together. */
const shareOfHeap = 0.4;
const waitLimitMs = 10_000;
const mostWaiting = 50;

/** A page up to this size is read at once, without reserving memory. */
export const lightBytes = 512 * 1024;
/** The most that a larger page holds. Further rows are on the next page. */
export const pageBytes = 8 * 1024 * 1024;
/** Memory that such a page takes while it is read, parsed and written. */
const pageWeight = 6 * pageBytes;

/** The memory budget of large requests and answers in flight. */
export interface Memory {
  /** Resolves with a release function when there is room. Waits up to ten seconds, then refuses with 429. */
  take(bytes: number): Promise<() => void>;
}

interface Waiting {
  bytes: number;
  admitted: PromiseWithResolvers<void>;
}

export function createMemory(total = shareOfHeap * getHeapStatistics().heap_size_limit): Memory {
  let free = total;
  const waiting: Waiting[] = [];

  function admitNext(): void {
    while (waiting[0] && waiting[0].bytes <= free) {
      const { bytes, admitted } = waiting.shift() as Waiting;
      free -= bytes;
      admitted.resolve();
    }
  }

  function releaseOf(bytes: number): () => void {
    let isTaken = true;
    return () => {
      if (isTaken) free += bytes;
      isTaken = false;
      admitNext();
    };
  }

  async function wait(bytes: number): Promise<void> {
    if (waiting.length >= mostWaiting) throw noMemory();
    const one: Waiting = { bytes, admitted: Promise.withResolvers() };
    waiting.push(one);
    const timer = setTimeout(() => {
      if (!waiting.includes(one)) return;
      waiting.splice(waiting.indexOf(one), 1);
      one.admitted.reject(noMemory());
      admitNext();
    }, waitLimitMs);
    await one.admitted.promise.finally(() => clearTimeout(timer));
  }

  return {
    async take(wanted) {
      const bytes = Math.min(wanted, total); // a request larger than the budget runs alone
      if (waiting.length === 0 && bytes <= free) free -= bytes;
      else await wait(bytes);
      return releaseOf(bytes);
    },
  };
}

const noMemory = () =>
  new ServiceError("too_many", "Other large requests use all the memory that is reserved for them. Try again in a moment.");

/**
 * Reads a page. A small page is read at once. A large page waits for memory, and holds it until the answer is sent. `read` gets the number of
 * bytes that the page may hold.
 */
export async function readWithin<Page extends { isCut: boolean }>(
  memory: Memory,
  reply: FastifyReply,
  read: (bytes: number) => Promise<Page>,
): Promise<Page> {
  const light = await read(lightBytes);
  if (!light.isCut) return light;
  await holdMemory(memory, reply, pageWeight);
  return read(pageBytes);
}

/** Reserves memory until the answer is sent or the client has gone. */
export async function holdMemory(memory: Memory, reply: FastifyReply, bytes = pageWeight): Promise<void> {
  const release = await memory.take(bytes);
  if (reply.raw.closed) release();
  else reply.raw.once("close", release);
}
