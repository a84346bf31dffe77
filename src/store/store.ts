import { BaseStore, type Operation, type OperationResults } from "@langchain/langgraph-checkpoint";
import { z } from "zod";
import type { Fence } from "../db/fence.ts";
import { everything } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { deleteItem, listNamespaces } from "./items.ts";
import { Minutes, type StoreRules } from "./store-rules.ts";
import { getFromStore, putInStore, searchStore } from "./use.ts";

export interface StoreOptions {
  rules: StoreRules;
  fence: Fence;
  /** Called when a write is refused, because the attempt has lost the right to write. It must throw. */
  refused: () => never;
}

/**
 * The options that a graph can pass to the store, but that LangGraph's types do not declare. They are validated, because the compiler does
 * not check them in the code of graphs.
 */
const ReadOptions = z.object({ refreshTtl: z.boolean().nullish() });
const PutOptions = z.object({
  ttl: Minutes.nullish(),
  index: z
    .union([z.literal(false), z.array(z.string())])
    .nullish()
    .transform((index) => index ?? undefined),
});

/**
 * Implements LangGraph's store on Postgres, for one attempt of a run. LangGraph's own PostgresStore is not used for two reasons. It opens a
 * separate pool, and its search of the namespace `user:1` also returns items of `user:10`.
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
    // The operations run one after another, because one may read an item that an earlier one has stored.
    for (const operation of operations) results.push(await this.#run(operation));
    return results as OperationResults<Operations>;
  }

  async #run(operation: Operation): Promise<unknown> {
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
    const stored =
      value === null
        ? deleteItem(this.#db, everything, fence, { namespace, key })
        : putInStore(this.#db, everything, this.#options, { namespace, key, value, ...PutOptions.parse(operation) });
    if (!(await stored)) refused();
  }
}

function readOptions(operation: Operation) {
  return { refreshTtl: ReadOptions.parse(operation).refreshTtl ?? undefined };
}
