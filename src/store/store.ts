import { BaseStore, type Operation, type OperationResults } from "@langchain/langgraph-checkpoint";
import type { Fence } from "../db/fence.ts";
import type { Db } from "../db/sql.ts";
import { deleteItem, findItem, listNamespaces, putItem, searchItems } from "./items.ts";

export interface StoreOptions {
  fence: Fence;
  /** Called when a write is refused, because the attempt has lost its right. It throws. */
  refused: () => never;
}

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
      return searchItems(this.#db, { prefix, filter, query, limit, offset });
    }
    if ("value" in operation) return this.#write(operation.namespace, operation.key, operation.value);
    if ("key" in operation) return (await findItem(this.#db, operation.namespace, operation.key)) ?? null;
    return listNamespaces(this.#db, { ...operation, conditions: operation.matchConditions ?? [] });
  }

  async #write(namespace: string[], key: string, value: Record<string, unknown> | null): Promise<void> {
    const { fence, refused } = this.#options;
    const done = value === null ? deleteItem(this.#db, fence, namespace, key) : putItem(this.#db, fence, { namespace, key, value });
    if (!(await done)) refused();
  }
}
