import { readProject } from "../src/registry/project.ts";
import { type AnyGraph, loadRegistry } from "../src/registry/registry.ts";

/** Loads a project as the service does, in a separate process. Runs each graph twice and prints the results. */
const { graphs } = await readProject(process.argv[2] ?? "");
const answers: Record<string, unknown> = {};
for (const source of graphs) answers[source.graphId] = await loadRegistry([source]).then(runTwice, String);
console.log(JSON.stringify(answers));

async function runTwice(registry: Awaited<ReturnType<typeof loadRegistry>>): Promise<unknown> {
  const [graphId = ""] = registry.graphIds;
  const run = async (who: string) => {
    const config = { configurable: { who } };
    const graph: AnyGraph = await registry.open(graphId, { config });
    return graph.invoke({}, config).catch(String);
  };
  return [await run("ann"), await run("bob")];
}
