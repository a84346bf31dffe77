import { once } from "node:events";
import { z } from "zod";

const Answer = z.object({ id: z.number(), result: z.object({ usedSize: z.number().optional() }) });
const answerTimeoutMs = 30_000;

/** Forces a garbage collection and returns the live heap in MB. The process must have been started with `--inspect`. */
export async function heapMb(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector);
  const signal = AbortSignal.timeout(answerTimeoutMs);
  try {
    await once(socket, "open", { signal });
    // The second and third collection also free what finalizers release.
    for (let collection = 0; collection < 3; collection++) await ask(socket, "HeapProfiler.collectGarbage", signal);
    const { usedSize = 0 } = await ask(socket, "Runtime.getHeapUsage", signal);
    return usedSize / 1024 / 1024;
  } finally {
    socket.close();
  }
}

async function ask(socket: WebSocket, method: string, signal: AbortSignal) {
  const answered = once(socket, "message", { signal });
  socket.send(JSON.stringify({ id: 1, method }));
  const [event]: unknown[] = await answered;
  const { data } = z.object({ data: z.string() }).parse(event);
  return Answer.parse(JSON.parse(data)).result;
}
