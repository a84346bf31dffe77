import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

interface RunTree {
  tracingEnabled?: boolean;
  extra: object;
  [variables: symbol]: unknown;
}

interface Config {
  callbacks?: { handlers?: { name?: string }[] } | { name?: string }[];
}

interface Provider {
  getInstance(): { getStore(): RunTree | undefined; run<T>(tree: Partial<RunTree> | undefined, work: () => T): T };
  runWithConfig<T>(config: Config | undefined, work: () => T, withoutTree?: boolean): T;
}

const configKey = Symbol.for("lc:child_config");
const variablesKey = Symbol.for("lc:context_variables");
const tracer = "langchain_tracer";

/**
 * LangChain makes a run tree of LangSmith's for every call of a node, traced or not: with an id from the system's randomness, three
 * looks at the environment and two dates (measured: a tenth of all that a run of trivial nodes takes). Where nobody traces they differ
 * in nothing that is used, so each call gets a copy of one. A call that is traced, or may be because what stands around it is, is
 * LangChain's own affair.
 */
export function mendUntracedCalls(): void {
  const provider = AsyncLocalStorageProviderSingleton as unknown as Provider;
  if (mended.has(provider)) return;
  const runWithConfig = provider.runWithConfig.bind(provider);
  const pattern = runWithConfig({}, () => provider.getInstance().getStore());
  if (pattern?.tracingEnabled !== false) return; // another release, which does otherwise
  mended.add(provider);
  const prototype = Object.getPrototypeOf(pattern);
  provider.runWithConfig = (config, work, withoutTree) => {
    const storage = provider.getInstance();
    const parent = storage.getStore();
    const mayTrace = (parent && parent.tracingEnabled !== false) || hasTracer(config);
    if (mayTrace) return runWithConfig(config, work, withoutTree);
    const tree = withoutTree ? {} : copyFor(config);
    const variables = parent?.[variablesKey];
    if (variables !== undefined) tree[variablesKey] = variables;
    return storage.run(withoutTree && variables === undefined ? undefined : tree, work);
  };

  function copyFor(config: Config | undefined): Partial<RunTree> {
    const extra = { ...pattern?.extra, [configKey]: config };
    return Object.assign(Object.create(prototype), pattern, { child_runs: [], extra });
  }
}

const mended = new WeakSet<Provider>();

function hasTracer({ callbacks }: Config = {}): boolean {
  const handlers = Array.isArray(callbacks) ? callbacks : callbacks?.handlers;
  return handlers?.some(({ name }) => name === tracer) ?? false;
}
