import type { LoggedEvent } from "../events/log.ts";
import type { BegunRun, EndedRun } from "../runs/thread-runs.ts";
import { type Draft, numberEnd, numberEvents, type ThreadEvent } from "./event.ts";
import { Lifecycle, type Place, type Status } from "./lifecycle.ts";
import { MessageProjector } from "./messages.ts";
import { questionsOf } from "./payloads.ts";
import { type Projecting, projectors, releaseValues } from "./projectors.ts";

/**
 * Converts the log of a run to events of the event streaming protocol. The result depends only on the log and the outcome of the run. Every
 * client therefore gets the same events, at any time and from any process.
 */
export interface Projection {
  /** Returns the events for the next logged event. Call it with every logged event in order, starting with the first. */
  project(logged: LoggedEvent): ThreadEvent[];
  /** Returns the events for the run's end. `end` is undefined if the run no longer exists, for example after a rollback. */
  projectEnd(end: EndedRun | undefined): ThreadEvent[];
  /** The run with its subgraphs and nodes, each with its status after the events so far. */
  readonly places: Place[];
}

export function createProjection({ base, graphId, modes, answers }: Omit<BegunRun, "runId" | "threadId">): Projection {
  const lifecycle = new Lifecycle(graphId);
  const projecting: Projecting = {
    modes,
    lifecycle,
    messages: new MessageProjector(),
    askedAt: new Map(),
    openTools: new Map(),
    updated: undefined,
    held: undefined,
    answers,
  };
  let last = { id: -1, at: 0 };
  return {
    project({ id, at, event, data }) {
      last = { id, at };
      return numberEvents(base, id, at, projectLogged(projecting, event, data));
    },
    projectEnd(end) {
      if (!end && last.id < 0) return []; // the run was deleted before it had events, so no client knows it
      return numberEnd(base, last.id, end?.at ?? last.at, projectOutcome(projecting, end));
    },
    get places() {
      return lifecycle.places;
    },
  };
}

function projectLogged(projecting: Projecting, event: string, data: string): Draft[] {
  const [mode = "", ...namespace] = event.split("|");
  if (mode === "metadata") return [...projectBeginning(projecting), ...abandon(projecting, lostAttempt)];
  const drafts = projectors.get(mode)?.(projecting, namespace, data) ?? [];
  const values = mode === "values" || mode === "checkpoints" ? [] : releaseValues(projecting);
  return [...values, ...projecting.lifecycle.at(namespace), ...drafts];
}

/**
 * Returns the event that the run has started, and an event about the questions that it answers. Returns nothing for a later attempt of the
 * run, because clients already know both.
 */
function projectBeginning({ lifecycle, answers }: Projecting): Draft[] {
  const running = lifecycle.run();
  if (running.length === 0 || answers.length === 0) return running;
  return [...running, { method: "input.answered", namespace: [], data: JSON.stringify({ interrupt_ids: answers }) }];
}

const lostAttempt = "The worker that executed this was lost. The run continues from its last checkpoint.";
const wasCut = "The run ended before this was complete.";

/** Ends the messages and tool calls that an attempt has left open. Otherwise, clients would wait for them forever. */
function abandon({ messages, openTools }: Projecting, reason: string): Draft[] {
  const tools = [...openTools].map(([callId, namespace]): Draft => {
    const data = JSON.stringify({ event: "tool-error", tool_call_id: callId, message: reason });
    return { method: "tools", namespace, data };
  });
  openTools.clear();
  return [...messages.cutOff(reason), ...tools];
}

function projectOutcome(projecting: Projecting, end: EndedRun | undefined): Draft[] {
  const completed = end?.status === "success";
  const interrupts = (completed && end.asked) || null;
  const questions = questionsOf(interrupts).map(({ id, value = null }): Draft => {
    const data = JSON.stringify({ interrupt_id: id, payload: value });
    return { method: "input.requested", namespace: projecting.askedAt.get(id) ?? [], data };
  });
  return [
    ...releaseValues(projecting),
    ...(completed ? projecting.messages.finish([]) : []),
    ...abandon(projecting, wasCut),
    ...questions,
    ...projecting.lifecycle.end(statusOf(end, interrupts !== null), detailsOf(end)),
  ];
}

/**
 * Returns the fields about a run's error, which are added to the event of the run's end. They are the error's message and, if an answer was
 * refused, the ids of the questions in this answer and of the open questions.
 */
function detailsOf(end: EndedRun | undefined): object {
  if (!end?.error) return {};
  const { error: _name, message, ...refusal } = end.error;
  return { error: message, ...refusal };
}

/**
 * Returns the status of an ended run for clients. A cancelled or rolled back run counts as interrupted, even if it has asked no question.
 */
function statusOf(end: EndedRun | undefined, isInterrupted: boolean): Status {
  if (end?.status === "error" || end?.status === "timeout") return "failed";
  return end?.status === "success" && !isInterrupted ? "completed" : "interrupted";
}
