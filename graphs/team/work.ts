import { setTimeout as sleep } from "node:timers/promises";
import { Send } from "@langchain/langgraph";
import { type Agent, asText, type Budget, budgetLeft, report, runAgent, taskOf, tierOf } from "ensemble/patterns";
import { prompts, rules } from "./prompts.ts";
import { broadcastsIn, type Config, type Mail, type Setup, type Team, type Turn } from "./state.ts";
import { claimable, isUnblocked, type TeamTask } from "./tasks.ts";
import { actionsIn, endingTurns, teamTools } from "./tools.ts";

/** The input of a member for one turn. */
export interface Errand {
  member: string;
  /** The id of the member's task. Null if the member has no task. A member without a task claims one or answers messages. */
  own: string | null;
  wholeTask: string;
  tasks: TeamTask[];
  inbox: Mail[];
  topology: "star" | "mesh";
  broadcastsLeft: number;
  stage: number;
  budget: Budget;
  rules: unknown;
}

/** Sends a turn to every member that has something to do, up to the limit of parallel work. */
export function sendTurns(setup: Setup, state: Team, config: Config): Send[] {
  const { limits, budget, maxBroadcasts } = setup.contextOf(state, config);
  const { tasks, inbox, mail, topology, rules } = state;
  return dueMembers(setup, state)
    .slice(0, limits.parallel)
    .map(({ name }, stage) => {
      const errand: Errand = {
        ...{ member: name, own: ownOf(name, tasks)?.id ?? null, wholeTask: taskOf(state), tasks, rules, stage },
        inbox: inbox.filter(({ to }) => to === name),
        topology: topology ?? "star",
        broadcastsLeft: maxBroadcasts - broadcastsIn(mail),
        budget: budgetLeft(state.ledger, budget),
      };
      return new Send("work", errand);
    });
}

const ownOf = (name: string, tasks: TeamTask[]) =>
  tasks.find((task) => task.owner === name && (task.status === "in_progress" || (task.status === "pending" && isUnblocked(task, tasks))));

/** Returns the members that have a task, a message, or a task to claim. Those with a task come first. */
export function dueMembers(setup: Setup, state: Team): Agent[] {
  const { tasks, inbox, topology, lost, isIdle } = state;
  const members = setup.membersOf(state).filter(({ name }) => !lost.includes(name));
  const isBusy = ({ name }: Agent) => ownOf(name, tasks) !== undefined;
  if (topology === "star") return members.filter(isBusy);
  const mayClaim = claimable(tasks).length > 0 && !isIdle;
  const others = members.filter((one) => !isBusy(one) && (mayClaim || inbox.some(({ to }) => to === one.name)));
  return [...members.filter(isBusy), ...others];
}

/** Lets a member take one turn. A failure is recorded and not thrown, so that the other members can continue. */
export const work = (setup: Setup) => async (errand: Errand, config: Config) => {
  const { stage, budget, tasks, topology } = errand;
  const context = setup.contextOf(errand, config);
  const member = setup.membersOf(errand).find(({ name }) => name === errand.member);
  if (!member) throw new Error(`There is no member "${errand.member}" any more.`);
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const startedAt = Date.now();
  const own = tasks.find(({ id }) => id === errand.own);
  const agent = topology === "mesh" ? inMesh(member, errand, setup) : member;
  const assignment = {
    ...{ ...tierOf({ ...context, budget }, "worker"), agent: { ...agent, output: undefined }, pattern: "team" },
    ...{ task: own ? prompts.work(own) : prompts.claim, input: materialFor(errand, own) },
    constraints: topology === "mesh" ? rules.mesh : [],
  };
  const outcome = await runAgent(assignment, config);
  const isDone = outcome.status === "success";
  report(config, "team", "turn", startedAt, { member: member.name, task: errand.own, status: outcome.status });
  const turn: Turn = {
    ...{ member: member.name, task: errand.own, actions: isDone ? actionsIn(outcome.added ?? []) : [] },
    answer: isDone ? asText(outcome.result) : null,
    ...(isDone ? { error: null, isFatal: false } : { error: outcome.error, isFatal: outcome.isFatal }),
  };
  const times = errand.own === null ? [] : [{ task: errand.own, startedAt, endedAt: Date.now() }];
  return { turns: [turn], times, ledger: outcome.ledger };
};

/** Returns the member with the tools of the team. A compiled graph gets no tools, and works like a member of a star. */
function inMesh(member: Agent, { own, tasks, broadcastsLeft, rules }: Errand, setup: Setup): Agent {
  if (member.graph) return member;
  const members = setup.membersOf({ rules }).map(({ name }) => name);
  const view = { member: member.name, members, tasks, own: tasks.find(({ id }) => id === own), broadcastsLeft };
  const middleware = member.middleware.length === 0 ? endingTurns : member.middleware;
  return { ...member, tools: [...member.tools, ...teamTools(view)], middleware };
}

/**
 * Returns the material of a turn: the results on which the task depends. In a mesh, the material also has the task list, the inbox and the
 * team's whole task.
 */
function materialFor({ wholeTask, tasks, inbox, topology }: Errand, own: TeamTask | undefined) {
  const needed = tasks.filter(({ id }) => own?.blockedBy.includes(id)).map(({ id, result }) => [id, result]);
  const results = needed.length > 0 ? { results: Object.fromEntries(needed) } : {};
  if (topology === "star") return own && needed.length > 0 ? results : { wholeTask };
  const shown = tasks.map(({ id, subject, status, owner, blockedBy }) => ({ id, subject, status, owner, blockedBy }));
  const open = own ? {} : { open: claimable(tasks).map(({ id, subject, description, error }) => ({ id, subject, description, error })) };
  const read = inbox.map(({ from, content }) => ({ from, content }));
  return { wholeTask, ...results, tasks: shown, ...open, ...(read.length > 0 && { inbox: read }) };
}
