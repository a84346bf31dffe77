import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "./database.ts";
import type { Role, Supervised } from "./processes.ts";
import type { Random } from "./random.ts";

export type FaultKind =
  | "kill worker"
  | "stop worker, short"
  | "stop worker past its lease"
  | "drain worker"
  | "kill api"
  | "stop api"
  | "drain api"
  | "cut connections"
  | "restart postgres";

/** A fault that was caused in the service. */
export interface Fault {
  kind: FaultKind;
  at: number;
  /** When the fault was over: the stopped process could continue, the ended one had ended, or the restarted one was back. */
  until?: number;
  /** The victim, if there is one. */
  app?: string;
  pid?: number;
}

export interface Grounds {
  database: Database;
  processes: Supervised[];
  random: Random;
  faults: Fault[];
}

/** How often each fault occurs in one round. The restart of Postgres has its own time. */
const round: FaultKind[] = [
  ...Array<FaultKind>(3).fill("kill worker"),
  ...Array<FaultKind>(2).fill("stop worker past its lease"),
  ...Array<FaultKind>(2).fill("drain worker"),
  "stop worker, short",
  "kill api",
  "stop api",
  "drain api",
  "cut connections",
];

/** How long a process may take to exit after it was asked to stop, in milliseconds. */
const timeoutMs = 30_000;

export interface ScheduleOptions {
  /** The shortest and the longest pause between two faults, in milliseconds. */
  gapMs: [number, number];
  /** Milliseconds after which Postgres is restarted. */
  restartAfterMs: number;
  signal: AbortSignal;
}

/** Causes one fault after another until it is stopped, then lets everything continue. */
export async function causeTrouble(grounds: Grounds, { gapMs, restartAfterMs, signal }: ScheduleOptions): Promise<void> {
  const { random } = grounds;
  const started = Date.now();
  let deck: FaultKind[] = [];
  let restarted = false;
  const aftermath: Promise<void>[] = [];
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
  while (!signal.aborted) {
    await pause(random.between(...gapMs));
    if (signal.aborted) break;
    const due: boolean = !restarted && Date.now() - started > restartAfterMs;
    if (deck.length === 0) deck = random.shuffle(round);
    const kind = due ? "restart postgres" : (deck.pop() as FaultKind);
    restarted ||= due;
    const { done } = await strike(grounds, kind, pause);
    aftermath.push(done);
  }
  await Promise.all(aftermath);
}

/** Causes one fault. The returned promise resolves when the fault is over. */
async function strike(grounds: Grounds, kind: FaultKind, pause: (ms: number) => Promise<void>): Promise<{ done: Promise<void> }> {
  const { database, random, faults } = grounds;
  const fault: Fault = { kind, at: Date.now() };
  faults.push(fault);
  const role: Role = kind.includes("api") ? "api" : "worker";
  const over = () => {
    fault.until = Date.now();
  };
  if (kind === "cut connections") return { done: cutRepeatedly(database).then(over) };
  if (kind === "restart postgres") {
    await database.restart(random.pick(["fast", "immediate"]));
    return { done: Promise.resolve(over()) };
  }
  const victim = await choose(grounds, role);
  Object.assign(fault, { at: Date.now(), app: victim.app, pid: victim.pid });
  if (kind.startsWith("kill")) victim.signal("SIGKILL");
  else if (kind.startsWith("drain")) {
    victim.signal("SIGTERM");
    return { done: Promise.race([victim.exited().then(over), sleep(timeoutMs)]) };
  } else
    return { done: freeze(victim, kind.includes("past") ? random.between(4_000, 6_500) : random.between(300, 1_500), pause).then(over) };
  return { done: Promise.resolve() };
}

/** Cuts connections several times, so that it also hits connections that have just been reopened. */
async function cutRepeatedly(database: Database): Promise<void> {
  for (let times = 0; times < 3; times++) {
    await database.cutConnections();
    await sleep(150);
  }
}

async function freeze(victim: Supervised, ms: number, pause: (ms: number) => Promise<void>): Promise<void> {
  victim.frozen = true;
  victim.signal("SIGSTOP");
  await pause(ms);
  victim.signal("SIGCONT");
  victim.frozen = false;
}

/**
 * Picks a process that is not stopped while another one of its kind is working. On a slow machine, a start takes longer than the time to
 * the next fault. Without this rule, no work would ever be done.
 */
async function choose(grounds: Grounds, role: Role): Promise<Supervised> {
  const { processes, random } = grounds;
  const awake = processes.filter((process) => process.role === role && !process.frozen);
  const candidates = awake.filter((victim) => awake.some((other) => other !== victim && other.isReady));
  if (candidates.length > 0) return random.pick(candidates);
  await sleep(50);
  return choose(grounds, role);
}
