import { existsSync } from "node:fs";
import { findInstalled, ourVersion } from "../../registry/installed.ts";
import { foldersOf, type Project, readProject } from "../../registry/project.ts";
import { type Finding, messageOf, ok, problem, warning } from "./check.ts";

/** The packages that the graphs and the service share. The project should have them in the same version as the service. */
const shared = ["@langchain/langgraph", "@langchain/core", "@langchain/langgraph-checkpoint"];

/** Checks the project file. Reports its errors, or the keys in it that have no effect. Also returns the project if the file is valid. */
export async function checkProject(file: string): Promise<{ findings: Finding[]; project?: Project }> {
  const about = "Project";
  const advice = `Write one, for example { "graphs": { "agent": "./agent.ts:graph" } }, or name another file in ENSEMBLE_CONFIG.`;
  if (!existsSync(file)) return { findings: [problem(about, `There is no ${file}.`, advice)] };
  try {
    const project = await readProject(file);
    return { project, findings: [...unread(project), ok(about, summaryOf(project))] };
  } catch (error) {
    return { findings: [problem(about, messageOf(error), "Correct the file. docs/reference/langgraph-json.md describes each key.")] };
  }
}

const summaryOf = ({ file, graphs }: Project) => `${file} has ${graphs.length === 1 ? "1 graph" : `${graphs.length} graphs`}.`;

function unread({ ignoredKeys }: Project): Finding[] {
  if (ignoredKeys.length === 0) return [];
  return [warning("Project", `These keys have no effect: ${ignoredKeys.join(", ")}.`, "Remove them, or correct their names.")];
}

/** Compares the project's LangChain packages with those of the service, which executes the graphs. */
export function checkPackages(project: Project): Finding[] {
  const folders = foldersOf(project);
  return shared.map((name) => {
    const ours = ourVersion(name);
    const differing = folders.map((folder) => findInstalled(name, folder)).filter((found) => found && found.version !== ours);
    const [other] = differing;
    if (!other) return ok("Packages", `${name} ${ours}`);
    const fact = `The project has ${name} ${other.version} in ${other.folder}, and the service runs graphs on ${ours}.`;
    const isOld = other.version.startsWith("0.");
    const advice = `Install ${name} ${ours} in the project, so that there is one copy.`;
    return isOld ? problem("Packages", fact, advice) : warning("Packages", fact, advice);
  });
}
