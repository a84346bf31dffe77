import { getHeapStatistics } from "node:v8";
import type { FastifyReply } from "fastify";
import { ServiceError } from "../errors.ts";

/** The share of the heap that all large requests and responses together may use, from 0 to 1. */
const shareOfHeap = 0.4;
const waitLimitMs = 10_000;
const mostWaiting = 50;

/** The size in bytes up to which a page or a document is read without reserving memory. */
export const lightBytes = 512 * 1024;
/** The size limit of a page for which memory is reserved, in bytes. The rows that do not fit are on the next page. */
export const pageBytes = 8 * 1024 * 1024;
/**
 * The memory that is reserved for a page of up to `pageBytes` bytes, in bytes. Reading, parsing and sending such a page needs several
 * copies of it.
 */
const pageWeight = 6 * pageBytes;

/** Limits the memory that large requests and responses use at the same time. */
export interface Memory {
  /**
   * Reserves memory as soon as enough is free, and returns a function that releases the memory. Throws a 429 after a wait of ten seconds,
   * or if too many requests already wait.
   */
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
      const bytes = Math.min(wanted, total); // a request that is larger than the whole budget waits until no other request uses memory
      if (waiting.length === 0 && bytes <= free) free -= bytes;
      else await wait(bytes);
      return releaseOf(bytes);
    },
  };
}

const noMemory = () =>
  new ServiceError("too_many", "Other large requests use all the memory that is reserved for them. Try again in a moment.");

/**
 * Reads a page. First reads a page of at most `lightBytes` bytes, without reserving memory. If more rows belong to the page, waits for free
 * memory and reads it again with the limit `pageBytes`. The memory is released after the response has been sent. `read` gets the limit in
 * bytes.
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

/** Reserves memory, and releases it when the response has been sent or the client has disconnected. */
export async function holdMemory(memory: Memory, reply: FastifyReply, bytes = pageWeight): Promise<void> {
  const release = await memory.take(bytes);
  if (reply.raw.closed) release();
  else reply.raw.once("close", release);
}
