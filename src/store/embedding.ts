import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { textsOf } from "./texts.ts";

/**
 * Turns texts into vectors, in the order of the texts. The result has the type `unknown` and is validated, because users write such
 * functions.
 */
export type Embed = (texts: string[], signal: AbortSignal) => Promise<unknown>;

/** The index with which searches find items by meaning. */
export interface StoreIndex {
  /**
   * The name of the embedding model, with the number of dimensions. It is stored with each vector, because only vectors of the same model
   * can be compared.
   */
  name: string;
  dims: number;
  /** True if the Postgres extension pgvector compares the vectors. */
  hasPgvector: boolean;
  /** The fields of an item that are embedded by default. The call that stores the item may set other fields. */
  fields: string[];
  embed: Embed;
}

/** A vector scaled to length one. */
export type Direction = number[];

const timeoutMs = 30_000;
const Vectors = z.array(z.array(z.number()));

/**
 * Returns the vectors of an item's texts. `wanted` lists the fields to embed for this item. False means no fields, and undefined means the
 * fields of the index. Do not call it in a transaction, because embedding may take long.
 */
export async function embedItem(
  index: StoreIndex,
  value: Record<string, unknown>,
  wanted: false | string[] | undefined,
): Promise<Direction[]> {
  const texts = wanted === false ? [] : textsOf(value, wanted ?? index.fields);
  return texts.length === 0 ? [] : embedTexts(index, texts);
}

/** Returns the vector of a query, scaled to length one. */
export async function embedQuery(index: StoreIndex, query: string): Promise<Direction> {
  const [direction = []] = await embedTexts(index, [query]);
  return direction;
}

async function embedTexts({ dims, embed }: StoreIndex, texts: string[]): Promise<Direction[]> {
  const result = await withTimeout((signal) => embed(texts, signal)).catch((error: unknown) => {
    throw explainFailure(error);
  });
  const parsed = Vectors.length(texts.length).safeParse(result);
  if (!parsed.success) throw failure(`answered ${texts.length} texts with something other than as many vectors of numbers`);
  const wrong = parsed.data.find(({ length }) => length !== dims);
  if (wrong) throw failure(`made vectors of ${wrong.length} dimensions where store.index.dims says ${dims}`);
  return parsed.data.map(toDirection);
}

/** Scales a vector to length one. Returns a vector of zeros unchanged, which is equally far from every other vector. */
function toDirection(vector: number[]): Direction {
  const length = Math.hypot(...vector) || 1;
  return vector.map((number) => number / length);
}

async function withTimeout<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { promise: late, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(failure(`did not answer within ${timeoutMs / 1000} seconds`)), { once: true });
  return Promise.race([work(signal), late]);
}

const Status = z.object({ status: z.number() });
/** The HTTP statuses with which an endpoint refuses a text. The usual reason is that the text is too long. */
const refusesText = [400, 413, 422];

/**
 * Returns the error that the caller gets if embedding fails. It leaves out the provider's own message, which may contain the API key. That
 * message is only logged.
 */
function explainFailure(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const { data } = Status.safeParse(error);
  const status = data ? ` with status ${data.status}` : "";
  if (!data || !refusesText.includes(data.status)) return failure(`failed${status}`, error);
  return new ServiceError("invalid", `The embedding model refused the text${status}.`, undefined, error);
}

const failure = (what: string, cause?: unknown) => new ServiceError("bad_gateway", `The embedding model ${what}.`, undefined, cause);
