// Writes dist/langgraph.json, which lists the shipped graphs as they are built. An installed package runs these.
import { readFileSync, writeFileSync } from "node:fs";

const project = JSON.parse(readFileSync("langgraph.json", "utf8"));
for (const graph of Object.values(project.graphs)) {
  graph.path = graph.path.replace("./graphs/", "./patterns/").replace(".ts:", ".js:");
}
project.ensemble.assistants = "../graphs/presets"; // the package has this folder too
writeFileSync("dist/langgraph.json", `${JSON.stringify(project, null, 2)}\n`);
