import type { FastifyReply } from "fastify";
import type { Page } from "../db/paging.ts";

/** Says that a total is an estimate, because there are more rows than are counted. */
export const estimateHeader = "x-pagination-total-estimated";

/** Sends one page of a list, with the headers by which clients find the next one. */
export function sendPage<Row extends object>(
  reply: FastifyReply,
  { rows, total, isEstimate, more }: Page<Row>,
  { offset, select }: { offset: number; select?: string[] },
): FastifyReply {
  reply.header("x-pagination-total", String(total));
  if (isEstimate) reply.header(estimateHeader, "true");
  if (more) reply.header("x-pagination-next", String(offset + rows.length));
  return reply.send(rows.map((row) => selectFields(row, select)));
}

/** Only the fields that were asked for. */
export function selectFields<Row extends object>(row: Row, select: string[] | undefined): Partial<Row> {
  if (!select || select.length === 0) return row;
  return Object.fromEntries(Object.entries(row).filter(([field]) => select.includes(field))) as Partial<Row>;
}
