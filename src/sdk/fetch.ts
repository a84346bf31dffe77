import { lendGlobal } from "./globals.ts";

export type Fetch = (request: Request) => Promise<Response>;

/** How a client of the SDK without an address, in a graph or in a route of this process, reaches the API. */
export interface OwnFetch {
  /** From now on calls are answered by this, and wait for it. */
  answerBy(fetch: Promise<Fetch>): void;
  takeBack(): void;
}

/** Lends the process the SDK's in-process fetch. The host of its URLs means nothing: they are paths of our own API. */
export function lendFetch(): OwnFetch {
  let answer = refuseBy("The service is still starting: graphs and routes can call it when they run, not when they are loaded.");
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = typeof input === "string" && input.startsWith("/") ? `http://localhost${input}` : input;
    return answer(new Request(url, init));
  };
  const takeBack = lendGlobal(Symbol.for("langgraph_api:fetch"), fetch);
  return {
    answerBy(given) {
      answer = async (request) => (await given)(request);
    },
    takeBack() {
      answer = refuseBy("The service has stopped.");
      takeBack();
    },
  };
}

function refuseBy(sentence: string): Fetch {
  return async () => {
    throw new Error(sentence);
  };
}

/** Tells who is called in which span the call was made, unless the caller says that itself. */
export function withTraceparent(fetch: Fetch, traceparent: () => string | undefined): Fetch {
  return (request) => {
    const span = traceparent();
    if (span !== undefined && !request.headers.has("traceparent")) request.headers.set("traceparent", span);
    return fetch(request);
  };
}

/** The same path at another address, for a process that has no API of its own. */
export function fetchAt(address: string | undefined): Fetch {
  return async (request) => {
    if (!address) throw new Error("ENSEMBLE_URL is not set, so this worker knows no API to call.");
    const { pathname, search } = new URL(request.url);
    const { method, headers, body, signal } = request;
    return fetch(`${address.replace(/\/$/, "")}${pathname}${search}`, { method, headers, body, signal, ...(body && { duplex: "half" }) });
  };
}
