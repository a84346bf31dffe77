import { setGlobal } from "./globals.ts";

export type Fetch = (request: Request) => Promise<Response>;

/** The `fetch` that SDK clients without a URL use in this process. It calls the service's own routes without a network. */
export interface InProcessFetch {
  /** Sets the function that handles the calls. Calls wait until the promise resolves. */
  answerWith(fetch: Promise<Fetch>): void;
  restore(): void;
}

/**
 * Makes SDK clients without a URL call this service in-process. Whatever host a request names, the request goes to the routes of this
 * service.
 */
export function installFetch(): InProcessFetch {
  let answer = refuseWith("The service is still starting: graphs and routes can call it when they run, not when they are loaded.");
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = typeof input === "string" && input.startsWith("/") ? `http://localhost${input}` : input;
    return answer(new Request(url, init));
  };
  const restore = setGlobal(Symbol.for("langgraph_api:fetch"), fetch);
  return {
    answerWith(given) {
      answer = async (request) => (await given)(request);
    },
    restore() {
      answer = refuseWith("The service has stopped.");
      restore();
    },
  };
}

function refuseWith(sentence: string): Fetch {
  return async () => {
    throw new Error(sentence);
  };
}

/** Returns a `fetch` that adds the current span to each request as a traceparent, unless the request has one. */
export function withTraceparent(fetch: Fetch, traceparent: () => string | undefined): Fetch {
  return (request) => {
    const span = traceparent();
    if (span !== undefined && !request.headers.has("traceparent")) request.headers.set("traceparent", span);
    return fetch(request);
  };
}

/**
 * Returns a `fetch` for a process that has no API of its own. It sends each request to the API at the given address, and keeps the path and
 * the query.
 */
export function fetchAt(address: string | undefined): Fetch {
  return async (request) => {
    if (!address) throw new Error("ENSEMBLE_URL is not set, so this worker knows no API to call.");
    const { pathname, search } = new URL(request.url);
    const { method, headers, body, signal } = request;
    return fetch(`${address.replace(/\/$/, "")}${pathname}${search}`, { method, headers, body, signal, ...(body && { duplex: "half" }) });
  };
}
