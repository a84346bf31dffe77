import { getInteropZodDefaultGetter } from "@langchain/core/utils/types";
import { withLangGraph } from "@langchain/langgraph/zod";

/**
 * Adds the `.langgraph` method to the schemas of another copy of zod. LangGraph adds this method only to the copy of zod that it imports
 * itself. A project's file uses the service's LangGraph but its own zod, whose schemas would lack the method.
 *
 * Upstream: no issue known, because a project that runs without us has only one copy of zod. Needed up to @langchain/langgraph 1.4.18 at
 * least.
 */
export function patchZodMethods(zod: unknown): void {
  const { ZodType } = (zod ?? {}) as { ZodType?: { prototype?: object } };
  const prototype = ZodType?.prototype;
  if (!prototype || "langgraph" in prototype) return;
  Object.defineProperty(prototype, "langgraph", { get: methodsOf, configurable: true });
  extended?.add(prototype);
}

/** LangGraph's own record of the zod prototypes that already have `.langgraph`. */
const extended = (globalThis as { [key: symbol]: WeakSet<object> | undefined })[Symbol.for("langgraph-zod")];

type AnySchema = Parameters<typeof withLangGraph>[0];
type Meta = NonNullable<Parameters<typeof withLangGraph>[1]>;

/** Returns the value of the schema's property `.langgraph`, as LangGraph itself would define it. */
function methodsOf(this: AnySchema) {
  return {
    metadata: (jsonSchemaExtra: Meta["jsonSchemaExtra"]) => withLangGraph(this, { jsonSchemaExtra }),
    reducer: (fn: NonNullable<Meta["reducer"]>["fn"], schema?: NonNullable<Meta["reducer"]>["schema"]) =>
      withLangGraph(this, { default: getInteropZodDefaultGetter(this), reducer: { schema, fn } } as Meta),
  };
}
