import createClient from "openapi-fetch";
import type { components, paths } from "./api-types.ts";
import { prefix } from "./boot.ts";
import { reportLost } from "./connection.ts";
import { credentialHeaders, forgetCredential } from "./credential.ts";

export type Schemas = components["schemas"];

/** The type of a POST body, by the path of the request. */
export type PostBody<Path extends keyof paths> = paths[Path] extends { post: { requestBody?: infer Body } }
  ? NonNullable<Body> extends { content: { "application/json": infer Json } }
    ? Json
    : never
  : never;

/**
 * The error of a failed request. Its message is the error message that the service sent. Its status is the HTTP status, or 0 if the service
 * did not answer.
 */
export class ApiFailure extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.name = "ApiFailure";
    this.status = status;
  }
}

/**
 * Sends a request with the credential of this tab. If the service refuses the credential, the login is shown. Throws an ApiFailure if the
 * service does not answer.
 */
async function send(input: Request): Promise<Response> {
  const request = new Request(input);
  for (const [name, value] of Object.entries(credentialHeaders())) request.headers.set(name, value);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    reportLost();
    throw new ApiFailure(0, "The service does not answer.");
  }
  if (response.status === 401) forgetCredential(await response.clone().text());
  if (response.status === 502 || response.status === 504) reportLost(); // this answer comes from a proxy whose service is down
  return response;
}

/** A client of this service's API, with the types of its OpenAPI document. Wrap each call in `answerOf`. */
export const api = createClient<paths>({ baseUrl: `${location.origin}${prefix}`, fetch: send });

interface Called<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** Returns the data of an API call. If the call failed, throws an ApiFailure with the error message that the service sent. */
export async function answerOf<Data>(call: Promise<Called<Data>>): Promise<Data> {
  return (await answerWithHeaders(call)).data;
}

/** Returns the data and the headers of a call. For a list, the headers contain the total number of entries. */
export async function answerWithHeaders<Data>(call: Promise<Called<Data>>): Promise<{ data: Data; headers: Headers }> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ApiFailure(response.status, sentenceIn(error) || `The service answered with status ${response.status}.`);
  return { data: data as Data, headers: response.headers };
}

function sentenceIn(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error === "object" && error !== null && "detail" in error) return String(error.detail);
  return "";
}

/** Returns the message of an error, to show to a person. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
