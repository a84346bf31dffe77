import { isObject } from "../../../parts/json-schema.ts";

/** A model call in the form in which Ensemble's ready-made graphs record it in the state key `ledger`. */
export interface LedgerEntry {
  agent: string;
  task: string;
  model: string;
  at: string;
  elapsedMs: number;
  outcome: string;
  inputTokens: number;
  outputTokens: number;
  dollars: number;
}

/** The totals of the calls that one agent made to one model. */
export interface LedgerRow {
  agent: string;
  model: string;
  calls: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  dollars: number;
  elapsedMs: number;
}

/** Returns the ledger entries in the result of a node. If the result replaces the whole ledger, these are the entries of the new ledger. */
export function entriesIn(result: unknown): LedgerEntry[] {
  const given = isObject(result) ? result.ledger : undefined;
  const list = isObject(given) ? given.__overwrite__ : given;
  return Array.isArray(list) ? list.filter(isEntry) : [];
}

function isEntry(value: unknown): value is LedgerEntry {
  if (!isObject(value)) return false;
  const { agent, model, inputTokens, outputTokens, dollars } = value;
  return (
    typeof agent === "string" &&
    typeof model === "string" &&
    [inputTokens, outputTokens, dollars].every((amount) => typeof amount === "number")
  );
}

/**
 * Adds entries to a ledger. A node that runs a subgraph returns the subgraph's entries again, often with a prefix before the agent's name.
 * Entries that differ only in this prefix are one entry, and the longer name is kept.
 */
export function addEntries(ledger: Map<string, LedgerEntry>, entries: LedgerEntry[]): void {
  for (const entry of entries) {
    const { agent, task, at, elapsedMs, inputTokens, outputTokens } = entry;
    const key = JSON.stringify([agent.split("/").at(-1), task, at, elapsedMs, inputTokens, outputTokens]);
    const known = ledger.get(key);
    if (!known || known.agent.length < agent.length) ledger.set(key, entry);
  }
}

/** Returns one row for each agent and model, in the order in which the agents first appear. */
export function rowsOf(ledger: Iterable<LedgerEntry>): LedgerRow[] {
  const rows = new Map<string, LedgerRow>();
  for (const { agent, model, inputTokens, outputTokens, dollars, elapsedMs = 0, outcome } of ledger) {
    const key = `${agent}\n${model}`;
    const row = rows.get(key) ?? { agent, model, ...nothing };
    rows.set(key, {
      agent,
      model,
      calls: row.calls + 1,
      failed: row.failed + (outcome === "failed" || outcome === "timeout" ? 1 : 0),
      inputTokens: row.inputTokens + inputTokens,
      outputTokens: row.outputTokens + outputTokens,
      dollars: row.dollars + dollars,
      elapsedMs: row.elapsedMs + elapsedMs,
    });
  }
  return [...rows.values()];
}

const nothing = { calls: 0, failed: 0, inputTokens: 0, outputTokens: 0, dollars: 0, elapsedMs: 0 };

/** Returns the sums over all rows. */
export const totalOf = (rows: LedgerRow[]): typeof nothing =>
  rows.reduce(
    (total, row) => ({
      calls: total.calls + row.calls,
      failed: total.failed + row.failed,
      inputTokens: total.inputTokens + row.inputTokens,
      outputTokens: total.outputTokens + row.outputTokens,
      dollars: total.dollars + row.dollars,
      elapsedMs: total.elapsedMs + row.elapsedMs,
    }),
    nothing,
  );

/** Returns an amount of dollars as text. Model calls often cost less than a cent, so small amounts have more digits. */
export function dollars(amount: number): string {
  if (amount === 0) return "$0";
  return `$${amount.toFixed(amount < 0.01 ? 5 : amount < 1 ? 4 : 2)}`;
}
