import { CallbackManager } from "@langchain/core/callbacks/manager";
import { getContextVariable, setContextVariable } from "@langchain/core/context";
import { RunnableLambda } from "@langchain/core/runnables";
import { AsyncLocalStorageProviderSingleton as provider } from "@langchain/core/singletons";
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain";
import "@langchain/langgraph"; // which sets the storage up
import { expect, test } from "vitest";
import { patchUntracedCalls } from "../../src/patches/untraced-calls.ts";

const treeIn = (config: object, withoutTree = false) =>
  provider.runWithConfig(config, () => provider.getInstance().getStore(), withoutTree) as Record<string, unknown>;
const stock = treeIn({});
const stockWithoutTree = treeIn({}, true);
patchUntracedCalls();

test("a call that nobody traces sees what LangChain would have made for it, and shares nothing with another", () => {
  const [one, other] = [treeIn({ tags: ["one"] }), treeIn({ tags: ["other"] })];
  expect(Object.keys(one)).toEqual(expect.arrayContaining(Object.keys(stock)));
  expect(one).toMatchObject({ name: stock.name, tracingEnabled: false });
  expect(Object.getPrototypeOf(one)).toBe(Object.getPrototypeOf(stock));
  expect(treeIn({}, true)).toEqual(stockWithoutTree);
  expect(one.child_runs).not.toBe(other.child_runs);
  provider.runWithConfig({ tags: ["mine"] }, () => expect(provider.getRunnableConfig()).toEqual({ tags: ["mine"] }));
});

test("context variables reach the calls inside, and none outside", async () => {
  const inner = RunnableLambda.from(() => getContextVariable("colour"));
  const outer = RunnableLambda.from(async () => {
    setContextVariable("colour", "blue");
    return inner.invoke({});
  });
  expect(await outer.invoke({})).toBe("blue");
  expect(await inner.invoke({})).toBeUndefined();
});

test("a traced call keeps its tracer's tree", () => {
  const callbacks = new CallbackManager(crypto.randomUUID());
  callbacks.addHandler(new LangChainTracer({ client: {} as never }));
  expect(treeIn({ callbacks })).not.toMatchObject({ tracingEnabled: false });
});
