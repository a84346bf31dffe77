import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy before a Postgres server. It counts the round trips of its clients, and can list their statements. */
export interface CountingProxy {
  url: string;
  /** Returns the number of round trips since the last call. */
  take(): { roundTrips: number; statements: string[] };
  close(): void;
}

const query = 0x51;
const parse = 0x50;
const sync = 0x53;

/**
 * Returns a function that reads the client's messages as they pass through. A simple query is one round trip. An extended query ends with a
 * Sync, which is counted.
 */
function counter(onRoundTrip: () => void, onStatement: (text: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let typed = 0; // only the first message has no type byte
  const take = (): Buffer | undefined => {
    const size = rest.length < typed + 4 ? Number.POSITIVE_INFINITY : typed + rest.readUInt32BE(typed);
    if (rest.length < size) return undefined;
    const message = rest.subarray(0, size);
    rest = rest.subarray(size);
    return message;
  };
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let message = take(); message; message = take()) {
      const type = typed ? message[0] : undefined;
      if (type === query) onStatement(textAt(message, 5));
      if (type === parse) onStatement(textAt(message, message.indexOf(0, 5) + 1));
      if (type === query || type === sync) onRoundTrip();
      typed = 1;
    }
  };
}

const textAt = (message: Buffer, from: number) => message.toString("utf8", from, message.indexOf(0, from)).replace(/\s+/g, " ").trim();

export async function startCountingProxy(databaseUrl: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl);
  let roundTrips = 0;
  let statements: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const count = counter(
      () => void roundTrips++,
      (text) => void statements.push(text),
    );
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => [client, upstream].map((one) => one.destroy()));
    }
    client.on("data", (chunk: Buffer) => {
      count(chunk);
      upstream.write(chunk);
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    take() {
      const taken = { roundTrips, statements };
      [roundTrips, statements] = [0, []];
      return taken;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
