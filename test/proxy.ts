import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterFile } from "./after-file.ts";

export interface Proxy {
  /** The URL of the database through the proxy. */
  url: string;
  /** Cuts every connection and refuses new ones, as a server that is down. */
  refuse(): void;
  /** Passes nothing on and closes nothing, as a network that loses its packets. */
  swallow(): void;
  /** Cuts the connection in place of the server's next answer that contains these words. Resolves when it has. */
  loseAnswerWith(words: string): Promise<void>;
  /** Cuts the connection in place of the next message to the server that contains these words. Resolves when it has. */
  loseRequestWith(words: string): Promise<void>;
  /** Silently loses every open connection for good. New connections are passed on. */
  abandon(): void;
  /** Passes connections on again, to another address if one is given. */
  forward(databaseUrl?: string): void;
}

/** Starts a TCP proxy before a database, which can take the database away from its clients. */
export async function startProxy(databaseUrl: string): Promise<Proxy> {
  let target = new URL(databaseUrl);
  let mode: "forward" | "refuse" | "swallow" = "forward";
  const pairs = new Set<[Socket, Socket]>();
  let unwanted: { words: string; of: "client" | "server"; lost: () => void } | undefined;
  const lose = (of: "client" | "server", words: string) =>
    new Promise<void>((lost) => {
      unwanted = { words, of, lost };
    });

  const server = createServer({ pauseOnConnect: true }, (near) => {
    if (mode === "refuse") return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()] as [Socket, Socket][]) {
      from.on("data", (chunk) => {
        const sender = from === near ? "client" : "server";
        if (unwanted?.of !== sender || !chunk.includes(unwanted.words)) return to.write(chunk);
        unwanted.lost();
        unwanted = undefined;
        for (const socket of pair) socket.destroy();
      });
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
    if (mode === "swallow") far.pause();
    else near.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const lost: [Socket, Socket][] = [];
  const cutAll = () => {
    for (const [near, far] of [...pairs, ...lost]) {
      near.destroy();
      far.destroy();
    }
  };
  afterFile(() => {
    cutAll();
    server.close();
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    refuse() {
      mode = "refuse";
      cutAll();
    },
    swallow() {
      mode = "swallow";
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    loseAnswerWith: (words) => lose("server", words),
    loseRequestWith: (words) => lose("client", words),
    abandon() {
      for (const pair of pairs) for (const socket of pair) socket.pause().removeAllListeners("data");
      lost.push(...pairs);
      pairs.clear();
    },
    forward(databaseUrl) {
      if (databaseUrl) target = new URL(databaseUrl);
      mode = "forward";
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
  };
}
