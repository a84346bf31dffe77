import type { LoggedEvent } from "../events/log.ts";
import type { BegunRun, EndedRun } from "../runs/thread-runs.ts";
import { type Draft, numberEnd, numberEvents, type ThreadEvent } from "./event.ts";
import { createLifecycle, type Place, type Status } from "./lifecycle.ts";
import { createMessageTeller } from "./messages.ts";
import { questionsOf } from "./payloads.ts";
import { type Projecting, projectors, releaseValues } from "./projectors.ts";

/**
 * A run told in the words of event streaming. It knows nothing but the run's log and its end, so that it says the same whoever asks,
 * whenever, and on whichever process.
 */
export interface Projection {
  /** The events that the next logged one means. To be given all of them, in order, from the first. */
  tell(logged: LoggedEvent): ThreadEvent[];
  /** The events that the end means. Undefined is the end of a run that is gone: it was rolled back. */
  tellEnd(end: EndedRun | undefined): ThreadEvent[];
  /** The run and what is below it, as far as it was told. */
  readonly places: Place[];
}

export function createProjection({ base, graphId, modes, answers }: Omit<BegunRun, "runId" | "threadId">): Projection {
  const lifecycle = createLifecycle(graphId);
  const projecting: Projecting = {
    modes,
    lifecycle,
    messages: createMessageTeller(),
    askedAt: new Map(),
    openTools: new Map(),
    updated: undefined,
    held: undefined,
    answers,
  };
  let last = { id: -1, at: 0 };
  return {
    tell({ id, at, event, data }) {
      last = { id, at };
      return numberEvents(base, id, at, projectLogged(projecting, event, data));
    },
    tellEnd(end) {
      if (!end && last.id < 0) return []; // nobody has heard of it
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
  const told = projectors.get(mode)?.(projecting, namespace, data) ?? [];
  const values = mode === "values" || mode === "checkpoints" ? [] : releaseValues(projecting);
  return [...values, ...projecting.lifecycle.at(namespace), ...told];
}

/** A run begins, and all who follow its thread hear which questions it answers. Another attempt at it is not news. */
function projectBeginning({ lifecycle, answers }: Projecting): Draft[] {
  const running = lifecycle.run();
  if (running.length === 0 || answers.length === 0) return running;
  return [...running, { method: "input.answered", namespace: [], data: JSON.stringify({ interrupt_ids: answers }) }];
}

const lostAttempt = "The worker that ran this was lost; the run goes on from its last checkpoint.";
const wasCut = "The run ended before this was complete.";

/** Closes what an attempt left open: nobody is to wait for it. */
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
  const asked = (completed && end.asked) || null;
  const questions = questionsOf(asked).map(({ id, value = null }): Draft => {
    const data = JSON.stringify({ interrupt_id: id, payload: value });
    return { method: "input.requested", namespace: projecting.askedAt.get(id) ?? [], data };
  });
  return [
    ...releaseValues(projecting),
    ...(completed ? projecting.messages.finish([]) : []),
    ...abandon(projecting, wasCut),
    ...questions,
    ...projecting.lifecycle.end(statusOf(end, asked !== null), end?.error?.message),
  ];
}

/** A run that was cancelled or rolled back is interrupted too, though it asks nothing. */
function statusOf(end: EndedRun | undefined, asked: boolean): Status {
  if (end?.status === "error" || end?.status === "timeout") return "failed";
  return end?.status === "success" && !asked ? "completed" : "interrupted";
}
