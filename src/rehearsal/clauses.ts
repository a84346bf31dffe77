import { namesIn, quotedIn } from "./extract.ts";

/** Returns the parts of a task that may each need their own tool. Quotations stay whole. */
export function clausesIn(task: string): string[] {
  const quotes: string[] = [];
  const masked = task.replace(/"[^"\n]*"|“[^”\n]*”|`[^`\n]*`/g, (quote) => `\uE000${quotes.push(quote) - 1}\uE000`);
  const restore = (text: string) => text.replace(/\uE000(\d+)\uE000/g, (_, index) => quotes[Number(index)] ?? "");
  return masked
    .split(/(?<=[.!?;])\s+|\n+|,\s+(?!\d)|,?\s+(?=(?:and then|then|finally|afterwards|after that)\b)|\s+(?:and|as well as)\s+/)
    .map((clause) => restore(clause.trim()))
    .filter((clause) => /[\p{L}\p{N}]/u.test(clause));
}

/** Tells whether a clause has its own subject, a name or a quotation. */
export const namesSomething = (clause: string): boolean => namesIn(`of ${clause}`).length > 0 || quotedIn(clause).length > 0;

/** Tells whether a clause depends on the one before it. */
export const comesAfter = (clause: string): boolean =>
  /^(?:and )?(?:then|finally|afterwards|after that)\b|\b(?:the result|the answer|the outcome|it|that|them)\s*[.!?]?$/i.test(clause);
