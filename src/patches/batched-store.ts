import { AsyncBatchedStore, type BaseStore, type Operation } from "@langchain/langgraph-checkpoint";

type Options = Record<string, unknown>;

interface Batched {
  store: BaseStore;
  running: boolean;
  batch(operations: Operation[]): Promise<unknown[]>;
  enqueueOperation(operation: Operation): Promise<unknown>;
  get(namespace: string[], key: string, options?: Options): Promise<unknown>;
  put(namespace: string[], key: string, value: Options, index?: false | string[], options?: Options): Promise<unknown>;
  search(namespacePrefix: string[], options?: Options): Promise<unknown>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * Patches the wrapper that LangGraph puts around the store of a running graph. After the patch, the wrapper forwards every call
 * immediately. Without the patch, it has three faults:
 * - It polls for calls every millisecond. This was measured to cost 7 % of a core for ten runs that only wait, and a run cannot end before
 * the last poll.
 * - It throws if a node lists namespaces.
 * - It drops the index and the time to live that a node sets for an item.
 *
 * Upstream: no issue known for LangGraph.js. Needed up to @langchain/langgraph-checkpoint 1.1.5 at least.
 */
export function patchBatchedStore(): void {
  const wrapper: Batched = AsyncBatchedStore.prototype as unknown as Batched; // these fields are private in the wrapper's type
  wrapper.batch = function (operations) {
    return this.store.batch(operations);
  };
  wrapper.enqueueOperation = async function (operation) {
    const [result] = await this.store.batch([operation]);
    return result;
  };
  wrapper.get = function (namespace, key, options) {
    return this.enqueueOperation({ ...options, namespace, key });
  };
  wrapper.put = function (namespace, key, value, index, options) {
    return this.enqueueOperation({ ...options, namespace, key, value, index });
  };
  wrapper.search = function (namespacePrefix, options) {
    return this.enqueueOperation({ ...options, namespacePrefix });
  };
  wrapper.start = function () {
    this.running = true;
  };
  wrapper.stop = async function () {
    this.running = false;
  };
}
