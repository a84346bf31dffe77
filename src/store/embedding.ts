import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { textsOf } from "./texts.ts";

/** Texts to vectors, in the same order. What it returns is checked here, because anybody may have written it. */
export type Embed = (texts: string[], signal: AbortSignal) => Promise<unknown>;

/** What makes items searchable by meaning. */
export interface StoreIndex {
  /** The model and the number of dimensions: what tells vectors apart that cannot be compared. */
  name: string;
  dims: number;
  /** Whether the database compares vectors by pgvector. */
  hasPgvector: boolean;
  /** What of an item is embedded, where its put does not say. */
  fields: string[];
  embed: Embed;
}

/** A direction: the vector made to length one. */
export type Direction = number[];

const patienceMs = 30_000;
const Vectors = z.array(z.array(z.number()));

/** Where the texts of an item point. `wanted` are its own fields; false: none. Call it outside transactions. */
export async function embedItem(
  index: StoreIndex,
  value: Record<string, unknown>,
  wanted: false | string[] | undefined,
): Promise<Direction[]> {
  const texts = wanted === false ? [] : textsOf(value, wanted ?? index.fields);
  return texts.length === 0 ? [] : embedTexts(index, texts);
}

/** Where a query points. */
export async function embedQuery(index: StoreIndex, query: string): Promise<Direction> {
  const [direction = []] = await embedTexts(index, [query]);
  return direction;
}

async function embedTexts({ dims, embed }: StoreIndex, texts: string[]): Promise<Direction[]> {
  const answer = await withinTime((signal) => embed(texts, signal)).catch((error: unknown) => {
    throw explainFailure(error);
  });
  const parsed = Vectors.length(texts.length).safeParse(answer);
  if (!parsed.success) throw failure(`answered ${texts.length} texts with something other than as many vectors of numbers`);
  const wrong = parsed.data.find(({ length }) => length !== dims);
  if (wrong) throw failure(`made vectors of ${wrong.length} dimensions where store.index.dims says ${dims}`);
  return parsed.data.map(toDirection);
}

/** A vector of nothing but zeros points nowhere, and is equally far from everything. */
function toDirection(vector: number[]): Direction {
  const length = Math.hypot(...vector) || 1;
  return vector.map((number) => number / length);
}

async function withinTime<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const signal = AbortSignal.timeout(patienceMs);
  const { promise: late, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(failure(`did not answer within ${patienceMs / 1000} seconds`)), { once: true });
  return Promise.race([work(signal), late]);
}

const Status = z.object({ status: z.number() });
/** By these an endpoint says that the text is the trouble: it is too long, as a rule. */
const aboutTheText = [400, 413, 422];

/** What the model's provider says of it may hold the key: it is for the log. */
function explainFailure(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const { data } = Status.safeParse(error);
  const status = data ? ` with status ${data.status}` : "";
  if (!data || !aboutTheText.includes(data.status)) return failure(`failed${status}`, error);
  return new ServiceError("invalid", `The embedding model refused the text${status}.`, undefined, error);
}

const failure = (what: string, cause?: unknown) => new ServiceError("bad_gateway", `The embedding model ${what}.`, undefined, cause);
