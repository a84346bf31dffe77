import { join } from "node:path";
import { readProject } from "../src/registry/project.ts";
import { loadRegistry } from "../src/registry/registry.ts";

/** Loads several projects as the service does, in a separate process. Prints why each of them could not be loaded, in the order given. */
const sentences: string[] = [];
for (const project of process.argv.slice(2)) {
  const { graphs } = await readProject(join(project, "langgraph.json"));
  const sentence = await loadRegistry(graphs).then(
    () => "it was loaded",
    (error: Error) => error.message,
  );
  sentences.push(sentence);
}
console.log(JSON.stringify(sentences));
process.exit(); // a graph may have set a timer
