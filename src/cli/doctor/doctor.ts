import { styleText } from "node:util";
import { adoptEnvironment, type Config, projectFile, readConfig } from "../../config.ts";
import type { Project } from "../../registry/project.ts";
import { clean } from "../terminal/clean.ts";
import { type Finding, messageOf, problem } from "./check.ts";
import { checkDatabase } from "./database.ts";
import { checkModel, checkNode, checkPort } from "./machine.ts";
import { checkPackages, checkProject } from "./project.ts";

const marks = { ok: "✓", warning: "!", problem: "✗" } as const;
const colours = { ok: "green", warning: "yellow", problem: "red" } as const;

/** Checks the machine and the project, and prints what is wrong and what to do. Exits with 1 if there is a problem. */
export async function doctor(): Promise<void> {
  const findings = await examine();
  for (const finding of findings) console.log(lineOf(finding));
  const [problems, warnings] = (["problem", "warning"] as const).map((state) => findings.filter((one) => one.state === state).length);
  console.log(`\n${problems === 1 ? "1 problem" : `${problems} problems`}, ${warnings === 1 ? "1 warning" : `${warnings} warnings`}.`);
  if (problems) process.exitCode = 1;
}

async function examine(): Promise<Finding[]> {
  const { findings, project } = await checkProject(projectFile());
  if (project) adoptEnvironment(project.env);
  const configured = readOr(() => readConfig());
  return [checkNode(), ...findings, ...(project ? checkPackages(project) : []), ...(await checkService(configured, project))];
}

async function checkService(configured: Config | Finding, project: Project | undefined): Promise<Finding[]> {
  if ("state" in configured) return [configured];
  return [...(await checkDatabase(configured, project)), await checkPort(configured), checkModel(configured)];
}

function readOr(read: () => Config): Config | Finding {
  try {
    return read();
  } catch (error) {
    return problem("Settings", messageOf(error), 'Correct the variable. "ensemble config" lists all of them.');
  }
}

function lineOf({ state, about, fact, advice }: Finding): string {
  const line = `${styleText(colours[state], marks[state])} ${about.padEnd(9)} ${clean(fact)}`;
  return advice === undefined ? line : `${line}\n  ${" ".repeat(9)} ${clean(advice)}`;
}
