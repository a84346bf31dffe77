import { Command, type LangGraphRunnableConfig, Overwrite } from "@langchain/langgraph";
import { z } from "zod";
import type { LedgerEntry } from "./ledger.ts";

/** The error that ends a run because an agent failed. It carries the ledger entries of the calls in the failed node. */
export class AgentFailed extends Error {
  override name = "AgentFailedError";
  readonly ledger: LedgerEntry[];

  constructor(message: string, ledger: LedgerEntry[]) {
    super(message);
    this.ledger = ledger;
  }
}

/** Returns the error that LangChain has wrapped. LangChain wraps each error that occurs inside middleware. */
export function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return "~brand" in error && error.cause instanceof Error ? rootOf(error.cause) : error;
}

/** The state key that names the failed node. When a later run continues the thread, `fail` tries this node again. */
export const failureState = { _failed: z.string().default("").describe("Node in which the last failed run ended") };

/**
 * The errors of failed nodes, for all executions of runs in this process. The outer key is an object that LangGraph keeps for one
 * execution. The inner key is the namespace of the graph whose node failed. A later execution of the run finds no error here, so it tries
 * the failed node again.
 */
const executions = new WeakMap<object, Map<string, unknown>>();

function errorsOf({ control }: Pick<LangGraphRunnableConfig, "control">): Map<string, unknown> {
  const known = control && executions.get(control);
  if (known) return known;
  const fresh = new Map<string, unknown>();
  if (control) executions.set(control, fresh);
  return fresh;
}

/** Returns the namespace of the graph to which the current node belongs. */
function namespaceOf({ configurable }: Pick<LangGraphRunnableConfig, "configurable">): string {
  const namespace = String(configurable?.checkpoint_ns ?? "");
  return namespace.slice(0, Math.max(0, namespace.lastIndexOf("|")));
}

interface Options {
  /** Tells whether the node begins a new task. If so, the ledger of the thread's previous task is dropped. */
  begins?: (state: unknown) => boolean;
}

/**
 * Returns a node that calls models. If `work` fails with an error that carries ledger entries, the node does not throw. It stores the
 * entries in the state, because LangGraph stores nothing of a node that throws. The edges of the node need `orFail`, which then leads to
 * the node `fail`.
 */
export function failing<Work extends (...call: never[]) => unknown>(work: Work, { begins = () => false }: Options = {}): Work {
  const node = async (state: never, config: never) => {
    try {
      return await work(state, config);
    } catch (error) {
      const { metadata, signal }: LangGraphRunnableConfig = config;
      const { ledger } = Object(rootOf(error)) as { ledger?: LedgerEntry[] };
      if (signal?.aborted || !ledger?.length) throw error;
      errorsOf(config).set(namespaceOf(config), error);
      return { ledger: begins(state) ? new Overwrite(ledger) : ledger, _failed: String(metadata?.langgraph_node) };
    }
  };
  return node as unknown as Work;
}

/** Returns an edge that leads to `fail` if the previous node has failed, and otherwise to the given target. */
export const orFail =
  <Call extends unknown[], const Next>(next: (...call: Call) => Next) =>
  (...call: Call): Next | "fail" => {
    const config = call[1] as LangGraphRunnableConfig;
    return errorsOf(config).has(namespaceOf(config)) ? "fail" : next(...call);
  };

/** Ends the run with the error of the previous node. If a later run continues from this node, the failed node is tried again. */
export function fail({ _failed: node }: { _failed: string }, config: object) {
  const error = errorsOf(config).get(namespaceOf(config));
  if (error) throw error;
  return new Command({ goto: node });
}
