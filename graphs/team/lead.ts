import { Overwrite } from "@langchain/langgraph";
import { answerWith, askAnswer, beginTask, enforceBudget, report, requireAgent, taskOf, tierOf } from "ensemble/patterns";
import { z } from "zod";
import { judge, prompts } from "./prompts.ts";
import { assign, countOf } from "./settle.ts";
import type { Config, Setup, Team } from "./state.ts";
import { problemsOf, TaskSpec, TeamTask, whyStuck } from "./tasks.ts";

/**
 * The judge scores from 1 to 5 how much the members need each other. Above `meshAbove`, members write to each other. Below `starBelow`,
 * they work alone.
 */
const meshAbove = 3.5;
const starBelow = 3;
const meshPrice = "A mesh uses about 2.4 to 2.7 times the tokens of a star.";

/** Begins a run. Clears the values of an earlier run on the thread. */
export const begin = (setup: Setup) => (state: Team, config: Config) => {
  const rules = config.context ?? {};
  const { topology } = setup.contextOf({ rules }, config);
  const cleared = { inbox: [], mail: [], lost: [], round: 0, isIdle: false, stopped: null, gaps: [], notes: [], result: null, score: null };
  return {
    ...{ ...beginTask(state), ...cleared, rules, topology: topology === "auto" ? null : topology },
    ...{ turns: new Overwrite([]), times: new Overwrite([]), ledger: new Overwrite([]) },
  };
};

/**
 * Lets the judge score how much the members need each other, and chooses a star or a mesh. If the score is not clear (from `starBelow` to
 * `meshAbove`) and `onUnclear` is `ask`, the node `askTopology` chooses.
 */
export const assess = (setup: Setup) => async (state: Team, config: Config) => {
  const startedAt = Date.now();
  const context = setup.contextOf(state, config);
  const schema = z.object({
    score: z.number().min(1).max(5).describe("1: the parts are independent. 5: every part needs the others all the time."),
    reason: z.string().describe("Why"),
  });
  const call = { ...tierOf(context, "judge"), agent: { ...judge, timeoutSeconds: context.timeoutSeconds }, pattern: "team" };
  const { result, ledger } = await requireAgent({ ...call, task: prompts.assess(taskOf(state)), schema }, config);
  const isUnclear = result.score >= starBelow && result.score <= meshAbove && context.onUnclear === "ask";
  const topology = isUnclear ? null : result.score > meshAbove ? ("mesh" as const) : ("star" as const);
  report(config, "team", "assess", startedAt, { score: result.score, topology, reason: result.reason });
  return { score: result.score, topology, ledger };
};

/** Asks a person whether members should write to each other. If nobody answers, they do not. */
export const askTopology = (setup: Setup) => (state: Team, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds } = setup.contextOf(state, config);
  const prompt = `Should the members work alone (star) or with each other (mesh)? ${meshPrice}`;
  const answer = askAnswer(prompt, ["star", "mesh"], { details: { score: state.score }, timeoutSeconds });
  return { topology: answer === "mesh" ? ("mesh" as const) : ("star" as const) };
};

/** Takes the caller's tasks, or lets the lead plan them. A plan that cannot be carried out is returned once to the lead. */
export const planTasks = (setup: Setup) => async (state: Team, config: Config) => {
  const startedAt = Date.now();
  const members = setup.membersOf(state);
  const names = members.map(({ name }) => name);
  const { tasks, ledger } = state.tasks.length > 0 ? { tasks: state.tasks, ledger: [] } : await plan(setup, state, config);
  const problems = problemsOf(tasks, names);
  if (problems.length > 0) throw new Error(`The tasks cannot be done: ${problems.map(({ message }) => message).join("; ")}`);
  const listed = tasks.map((task) => TeamTask.parse(task));
  const isMesh = state.topology === "mesh";
  const estimate = { calls: isMesh ? 2 * listed.length + 1 : listed.length + 1, tokenFactor: isMesh ? [2.4, 2.7] : [1, 1] };
  report(config, "team", "plan", startedAt, { tasks: listed.length, members: names.length, topology: state.topology, estimate });
  return { tasks: isMesh ? listed : assign(listed, names), notes: isMesh ? [meshPrice] : [], ledger };
};

async function plan(setup: Setup, state: Team, config: Config) {
  const context = setup.contextOf(state, config);
  const members = setup.membersOf(state);
  const names = members.map(({ name }) => name);
  const owner = z
    .string()
    .optional()
    .meta({ description: "Member that does the task. Leave it out if members should choose.", enum: names });
  const schema = z.object({ tasks: z.array(TaskSpec.extend({ owner })).min(1).max(12) });
  const team = members.map(({ name, role, description }) => ({ name, role, description }));
  const lead = { ...setup.leadOf(state), tools: [], timeoutSeconds: context.timeoutSeconds };
  const call = { ...tierOf(context, "judge"), agent: lead, input: { team }, pattern: "team", schema };
  const ledger: Team["ledger"] = [];
  let problems: string[] = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    enforceBudget([...state.ledger, ...ledger], context.budget);
    const { result, ledger: entries } = await requireAgent({ ...call, task: prompts.plan(taskOf(state), problems) }, config);
    ledger.push(...entries);
    problems = problemsOf(result.tasks, names).map(({ index, message }) => `${result.tasks[index]?.id}: ${message}`);
    if (problems.length === 0) return { tasks: result.tasks, ledger };
  }
  throw new Error(`The lead's plan cannot be carried out: ${problems.join("; ")}`);
}

/** Lets the lead write the answer from the results. The answer is streamed. */
export const conclude = (setup: Setup) => async (state: Team, config: Config) => {
  const { tasks, stopped } = state;
  const failed = tasks.filter(({ status }) => status === "failed").map(({ id, error }) => `${id}: ${error}`);
  const gaps = [...failed, ...(stopped === null ? [] : whyStuck(tasks))];
  if (countOf(tasks, "completed") === 0) throw new Error(`No task was completed (${stopped ?? "failures"}): ${gaps.join("; ")}`);
  const context = setup.contextOf(state, config);
  const results = tasks
    .filter(({ status }) => status === "completed")
    .map(({ id, subject, owner, result }) => ({ id, subject, owner, result }));
  const lead = { ...setup.leadOf(state), tools: [], timeoutSeconds: context.timeoutSeconds };
  const errand = { task: prompts.report(taskOf(state)), input: { results, missing: gaps }, pattern: "team", earlier: state.ledger };
  const { result, message, ledger } = await requireAgent({ ...tierOf(context, "judge"), agent: lead, ...errand, quiet: false }, config);
  return { result, gaps, messages: answerWith(result, message), ledger };
};
