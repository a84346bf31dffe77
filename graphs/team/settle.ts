import { Overwrite } from "@langchain/langgraph";
import { askAnswer, enforceBudget, report } from "ensemble/patterns";
import { broadcastsIn, type Config, type Mail, type Setup, type Team, type Turn } from "./state.ts";
import { claimable, isUnblocked, mostTasks, problemsOf, TaskSpec, TeamTask, whyStuck } from "./tasks.ts";
import { dueMembers } from "./work.ts";

/** The number of failures after which a task has failed for good. */
const mostTries = 3;
/** The maximum number of turns that one owner may take for a task. */
const mostTurns = 5;

/** The changes of one round, which are collected while the actions of the members are applied. */
interface Round {
  tasks: TeamTask[];
  mail: Mail[];
  broadcasts: number;
  round: number;
  members: string[];
}

/** Applies the actions of the members in a round, in the order of the members. Decides whether another round follows. */
export const settle = (setup: Setup) => (state: Team, config: Config) => {
  const { budget, limits, maxRounds, maxBroadcasts } = setup.contextOf(state, config);
  enforceBudget(state.ledger, budget);
  const members = setup.membersOf(state).map(({ name }) => name);
  const turns = state.turns.toSorted((a, b) => members.indexOf(a.member) - members.indexOf(b.member));
  const changes: Round = {
    tasks: state.tasks,
    mail: [],
    broadcasts: maxBroadcasts - broadcastsIn(state.mail),
    round: state.round,
    members,
  };
  for (const turn of turns) finish(changes, turn);
  for (const turn of turns) for (const action of turn.actions) carryOut(changes, turn.member, action);
  const lost = [...state.lost, ...turns.filter(({ isFatal }) => isFatal).map(({ member }) => member)];
  const tasks = state.topology === "star" ? assign(changes.tasks, without(members, lost)) : freed(changes.tasks, lost);
  const isIdle = JSON.stringify(tasks) === JSON.stringify(state.tasks) && changes.mail.length === 0;
  const unread = state.inbox.filter(({ to }) => !turns.some(({ member }) => member === to));
  const next = { ...state, tasks, lost, isIdle, inbox: [...unread, ...changes.mail] };
  const stopped = reasonToStop(setup, next, { maxRounds, failures: limits.failures });
  report(config, "team", "round", Date.now(), {
    round: state.round + 1,
    completed: countOf(tasks, "completed"),
    of: tasks.length,
    stopped,
  });
  return {
    ...{ tasks, lost, isIdle, inbox: next.inbox, mail: [...state.mail, ...changes.mail], round: state.round + 1, stopped },
    turns: new Overwrite([]),
  };
};

const without = (members: string[], lost: string[]) => members.filter((name) => !lost.includes(name));
export const countOf = (tasks: TeamTask[], status: TeamTask["status"]) => tasks.filter((task) => task.status === status).length;

/**
 * Ends a member's turn on its task. The task is completed, or it loses its owner after an error or too many turns. Otherwise, the member
 * continues the task in its next turn.
 */
function finish(changes: Round, { member, task: id, answer, error, actions }: Turn): void {
  const completed = actions.find(({ name }) => name === "complete")?.args.result;
  const isWaiting = actions.some(({ name }) => name === "send_message" || name === "broadcast");
  change(changes, id, (task) => {
    if (error !== null) return released(task, member, error);
    if (completed !== undefined) return { ...task, status: "completed", result: String(completed), owner: member };
    if (!isWaiting && answer) return { ...task, status: "completed", result: answer, owner: member };
    const turns = task.turns + 1;
    return turns < mostTurns ? { ...task, status: "in_progress", turns } : released(task, member, `not completed in ${turns} turns`);
  });
}

/** Returns the task without its owner, so that another member can do the task. After too many tries, the task has failed. */
function released(task: TeamTask, member: string, error: string): TeamTask {
  const tried = [...task.tried, member];
  return { ...task, owner: null, status: tried.length < mostTries ? "pending" : "failed", error: `${member}: ${error}`, tried, turns: 0 };
}

function change(changes: Round, id: unknown, update: (task: TeamTask) => TeamTask): void {
  changes.tasks = changes.tasks.map((task) => (task.id === id ? update(task) : task));
}

/**
 * Applies one call of a team tool. The member gets a notice if the call is no longer possible, for example because the task is already
 * claimed.
 */
function carryOut(changes: Round, member: string, { name, args }: Turn["actions"][number]): void {
  if (name === "claim") claim(changes, member, String(args.id));
  if (name === "add_task") add(changes, member, args);
  if (name === "send_message") deliver(changes, member, [String(args.to)], args);
  if (name !== "broadcast") return;
  if (changes.broadcasts > 0) deliver(changes, member, without(changes.members, [member]), { ...args, broadcast: true });
  else notify(changes, member, "Your broadcast was not sent, because the team has none left.");
  changes.broadcasts -= 1;
}

function deliver({ mail, round }: Round, from: string, to: string[], args: Record<string, unknown>): void {
  const { content, summary, broadcast = false } = args as { content: string; summary: string; broadcast?: boolean };
  mail.push(...to.map((other) => ({ from, to: other, content, summary, round, broadcast })));
}

function claim(changes: Round, member: string, id: string): void {
  const isOpen = claimable(changes.tasks).some((task) => task.id === id);
  if (isOpen) change(changes, id, (task) => ({ ...task, owner: member, status: "in_progress" }));
  else notify(changes, member, `${id} was claimed by ${changes.tasks.find((task) => task.id === id)?.owner} in the same round.`);
}

function add(changes: Round, member: string, args: Record<string, unknown>): void {
  const parsed = TaskSpec.safeParse(args);
  const problem = parsed.success ? problemsOf([...changes.tasks, parsed.data])[0]?.message : "it does not fit the schema";
  const reason = changes.tasks.length >= mostTasks ? `the list has ${mostTasks} tasks` : problem;
  if (reason === undefined && parsed.success) changes.tasks = [...changes.tasks, TeamTask.parse(parsed.data)];
  else notify(changes, member, `The task "${args.id}" was not added: ${reason}.`);
}

function notify({ mail, round }: Round, to: string, content: string): void {
  mail.push({ from: "team", to, content, summary: "notice", round, broadcast: false });
}

/**
 * Assigns the unblocked tasks of a star. A task stays with its owner. A task without an owner goes to the member with the fewest tasks.
 * Members that have failed with this task come last.
 */
export function assign(tasks: TeamTask[], members: string[]): TeamTask[] {
  const load = new Map(members.map((name) => [name, tasks.filter(({ owner }) => owner === name).length]));
  return tasks.map((task) => {
    if (task.status !== "pending" || !isUnblocked(task, tasks) || (task.owner !== null && load.has(task.owner))) return task;
    const failed = (name: string) => Number(task.tried.includes(name));
    const [owner = null] = [...load].toSorted(([one, a], [other, b]) => failed(one) - failed(other) || a - b)[0] ?? [];
    if (owner !== null) load.set(owner, (load.get(owner) ?? 0) + 1);
    return { ...task, owner };
  });
}

/**
 * Removes lost members as owners of their unfinished tasks, so that other members can do them. A member is lost if its turn failed for
 * good.
 */
const freed = (tasks: TeamTask[], lost: string[]): TeamTask[] =>
  tasks.map((task) =>
    task.status !== "completed" && task.owner !== null && lost.includes(task.owner)
      ? { ...task, owner: null, status: task.status === "failed" ? "failed" : "pending" }
      : task,
  );

function reasonToStop(setup: Setup, state: Team, { maxRounds, failures }: { maxRounds: number; failures: number }): Team["stopped"] {
  if (countOf(state.tasks, "failed") >= failures) return "failures";
  if (whyStuck(state.tasks).length === 0) return null;
  if (dueMembers(setup, state).length === 0) return "deadlock";
  return state.round + 1 >= maxRounds ? "rounds" : null;
}

/**
 * Asks a person what to do about too many failed tasks. The person may repeat them, with or without new instructions, or accept the result
 * so far.
 */
export const askAboutFailures = (setup: Setup) => (state: Team, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds } = setup.contextOf(state, config);
  const failed = state.tasks.filter(({ status }) => status === "failed").map(({ id, error }) => `${id} (${error})`);
  const prompt = `${countOf(state.tasks, "completed")} of ${state.tasks.length} tasks done; failed: ${failed.join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
  if (choice === "retry") return again(setup, state);
  if (choice !== "adjust") return {};
  const advice = askAnswer("What should be done differently?", undefined, { timeoutSeconds });
  return advice === undefined ? {} : again(setup, state, `\n\nA person adds: ${advice}`);
};

/** Returns the update that restarts all failed tasks. Lost members take part again. */
function again(setup: Setup, state: Team, advice = "") {
  const { tasks, topology } = state;
  const anew = tasks.map(
    (task): TeamTask =>
      task.status === "failed" ? { ...task, status: "pending", tried: [], description: `${task.description}${advice}` } : task,
  );
  const members = setup.membersOf(state).map(({ name }) => name);
  return { tasks: topology === "star" ? assign(anew, members) : anew, stopped: null, lost: [], isIdle: false };
}
