import { BaseStore, type Operation, type OperationResults } from "@langchain/langgraph-checkpoint";
import { z } from "zod";
import type { Fence } from "../db/fence.ts";
import { everything } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { deleteItem, listNamespaces } from "./items.ts";
import { Minutes, type StoreRules } from "./rules.ts";
import { getFromStore, putInStore, searchStore } from "./use.ts";

export interface StoreOptions {
  rules: StoreRules;
  fence: Fence;
  /** Called when a write is refused, because the attempt has lost its right. It throws. */
  refused: () => never;
}

/** What LangGraph's operations carry beside what their types say; a graph may give anything. */
const ReadOptions = z.object({ refreshTtl: z.boolean().nullish() });
const PutOptions = z.object({
  ttl: Minutes.nullish(),
  index: z
    .union([z.literal(false), z.array(z.string())])
    .nullish()
    .transform((index) => index ?? undefined),
});

/**
 * LangGraph's store on Postgres, for one attempt of a run. The stock PostgresStore opens a pool of its own, and finds what is under
 * `user:1` also under `user:10`.
 */
export class EnsembleStore extends BaseStore {
  readonly #db: Db;
  readonly #options: StoreOptions;

  constructor(db: Db, options: StoreOptions) {
    super();
    this.#db = db;
    this.#options = options;
  }

  override async batch<Operations extends Operation[]>(operations: Operations): Promise<OperationResults<Operations>> {
    const results: unknown[] = [];
    for (const operation of operations) results.push(await this.#carryOut(operation)); // one after another: a read may be of what was put
    return results as OperationResults<Operations>;
  }

  async #carryOut(operation: Operation): Promise<unknown> {
    if ("namespacePrefix" in operation) {
      const { namespacePrefix: prefix, filter, query, limit = 10, offset = 0 } = operation;
      const search = { prefix, filter, query, limit, offset, ...readOptions(operation) };
      return (await searchStore(this.#db, everything, this.#options, search)).rows;
    }
    if ("value" in operation) return this.#write(operation);
    if ("key" in operation) {
      const { namespace, key } = operation;
      return (await getFromStore(this.#db, everything, this.#options, { namespace, key, ...readOptions(operation) })) ?? null;
    }
    return listNamespaces(this.#db, everything, { ...operation, conditions: operation.matchConditions ?? [] });
  }

  async #write(operation: Extract<Operation, { value: unknown }>): Promise<void> {
    const { namespace, key, value } = operation;
    const { fence, refused } = this.#options;
    const done =
      value === null
        ? deleteItem(this.#db, everything, fence, { namespace, key })
        : putInStore(this.#db, everything, this.#options, { namespace, key, value, ...PutOptions.parse(operation) });
    if (!(await done)) refused();
  }
}

function readOptions(operation: Operation) {
  return { refreshTtl: ReadOptions.parse(operation).refreshTtl ?? undefined };
}
