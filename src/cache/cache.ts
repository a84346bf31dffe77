import { BaseCache } from "@langchain/langgraph-checkpoint";
import { bytesOf, dumpState, keepingImpostors } from "../checkpoints/serializer.ts";
import type { Fence } from "../db/fence.ts";
import type { Db } from "../db/sql.ts";
import { clearEntries, findEntries, storeEntry } from "./entries.ts";

type Key = Parameters<BaseCache["get"]>[0][number];
type Pair = Parameters<BaseCache["set"]>[0][number];

const longestSeconds = 30 * 24 * 3_600;
/**
 * The size limit of a cached result in bytes. Larger results are not cached, because transferring them takes longer than computing them
 * again.
 */
const mostBytes = 1_000_000;

export interface CacheOptions {
  /** The version of the graph whose results this cache stores. */
  scope: string;
  /** The attempt's right to write. If the attempt has lost this right, the cache stores nothing. */
  fence: Fence;
  onTrouble: (error: Error) => void;
}

/**
 * Implements LangGraph's cache of node results on Postgres. The cache never fails a run: an entry that cannot be read counts as missing,
 * and an entry that cannot be stored is dropped. `set` must not reject, because LangGraph does not await it, and an unhandled rejection
 * would end the process.
 */
export class PostgresCache extends BaseCache {
  private readonly db: Db;
  private readonly options: CacheOptions;

  constructor(db: Db, options: CacheOptions) {
    super();
    this.serde = keepingImpostors(this.serde);
    this.db = db;
    this.options = options;
  }

  override async get(keys: Key[]): Promise<{ key: Key; value: unknown }[]> {
    const wanted = new Map(keys.map((key) => [JSON.stringify(key), key]));
    const names = keys.map(([namespace, key]) => ({ namespace: JSON.stringify(namespace), key }));
    try {
      const entries = await findEntries(this.db, this.options.scope, names);
      return await Promise.all(
        entries.map(async ({ namespace, key, type, value }) => ({
          key: wanted.get(JSON.stringify([JSON.parse(namespace), key])) ?? [JSON.parse(namespace), key],
          value: await this.serde.loadsTyped(type, value),
        })),
      );
    } catch (error) {
      this.options.onTrouble(error as Error);
      return [];
    }
  }

  override async set(pairs: Pair[]): Promise<void> {
    for (const pair of pairs) await this.store(pair).catch(this.options.onTrouble);
  }

  private async store({ key: [namespace, key], value, ttl = longestSeconds }: Pair): Promise<void> {
    const dumped = dumpState(value, "the cached result");
    const bytes = bytesOf(dumped);
    if (bytes.length > mostBytes) return;
    const { scope, fence } = this.options;
    const name = { namespace: JSON.stringify(namespace), key };
    await storeEntry(this.db, fence, scope, { ...name, type: dumped.type, value: bytes }, Math.min(ttl, longestSeconds));
  }

  /** Deletes the cached results of this version of the graph: all of them, or only those in the given namespaces. */
  override async clear(namespaces: string[][]): Promise<void> {
    await clearEntries(this.db, this.options.scope, namespaces.length === 0 ? undefined : namespaces.map((one) => JSON.stringify(one)));
  }
}
