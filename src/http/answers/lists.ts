import type { FastifyReply } from "fastify";
import type { Page } from "../../db/paging.ts";
import { ServiceError } from "../../errors.ts";

/** The header that tells clients that the total is an estimate, because there are too many rows to count. */
export const estimateHeader = "x-pagination-total-estimated";

/** The size limit of a response, in bytes. A larger page ends early, and a header says where the next page begins. */
export const mostBytes = 16 * 1024 * 1024;

/**
 * Sends one page of a list, with headers for the next page. `extract` returns the additional values of a row that the client has requested.
 */
export function sendPage<Row extends object>(
  reply: FastifyReply,
  { rows, total, isEstimate, more }: Page<Row>,
  { offset, select }: { offset: number; select?: string[] },
  extract?: (row: Row) => Record<string, unknown>,
): FastifyReply {
  const texts = takeWhileFits(rows, (row) => textOf(row, select, extract?.(row)));
  reply.header("x-pagination-total", String(total));
  if (isEstimate) reply.header(estimateHeader, "true");
  if (more || texts.length < rows.length) reply.header("x-pagination-next", String(offset + texts.length));
  return sendTexts(reply, texts);
}

/** Sends several JSON texts as one JSON list. */
export function sendTexts(reply: FastifyReply, texts: string[]): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(`[${texts.join(",")}]`);
}

/** Returns the texts of the first rows, as many as fit into one response. The first row is always included. */
function takeWhileFits<Row>(rows: Row[], write: (row: Row) => string): string[] {
  const texts: string[] = [];
  let size = 0;
  for (const row of rows) {
    const text = write(row);
    size += text.length;
    if (size > mostBytes && texts.length > 0) break;
    texts.push(text);
  }
  return texts;
}

/**
 * Returns a row as JSON, together with the values that the client wants to extract from it. A value that several paths extract is
 * serialised only once. Throws if the text would be too large, before it builds this text.
 */
function textOf<Row extends object>(row: Row, select: string[] | undefined, extracted: Record<string, unknown> | undefined): string {
  const text = JSON.stringify(selectFields(row, select));
  if (!extracted) return text;
  const written = new Map<unknown, string>();
  const entries: [string, string][] = [];
  let size = text.length;
  for (const [alias, value] of Object.entries(extracted)) {
    const json = written.get(value) ?? JSON.stringify(value);
    written.set(value, json);
    size += json.length;
    if (size > mostBytes)
      throw new ServiceError("too_large", `extract: what it asks for of one thread takes more than ${mostBytes} bytes; ask for less.`);
    entries.push([JSON.stringify(alias), json]);
  }
  const addition = `"extracted":{${entries.map(([alias, json]) => `${alias}:${json}`).join(",")}}`;
  return text === "{}" ? `{${addition}}` : `${text.slice(0, -1)},${addition}}`;
}

/** Returns the selected fields of a row. Without a selection, returns the whole row. */
export function selectFields<Row extends object>(row: Row, select: string[] | undefined): Partial<Row> {
  if (!select || select.length === 0) return row;
  return Object.fromEntries(Object.entries(row).filter(([field]) => select.includes(field))) as Partial<Row>;
}

/** Returns values of a document by paths such as `values.messages[-1].content`. A path without a value gives null. */
export function extractPaths(document: object, paths: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(paths).map(([alias, path]) => [alias, extractPath(document, path)]));
}

function extractPath(document: object, path: string): unknown {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  return steps.reduce<unknown>(follow, document) ?? null;
}

function follow(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return value.at(Number(step));
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string, unknown>)[step];
}
