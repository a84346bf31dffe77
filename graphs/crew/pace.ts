import { setTimeout as sleep } from "node:timers/promises";
import { getConfig, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { createMiddleware } from "langchain";

const minuteMs = 60_000;

/**
 * The times of the model calls in all executions of runs in this process. The outer key is an object that LangGraph keeps for one
 * execution, so the entry is freed with the execution. The inner key is the name of an agent.
 */
const executions = new WeakMap<object, Map<string, number[]>>();

/** Returns the time at which the next call may begin, so that every minute has at most `rpm` calls. */
export function nextTime(times: number[], rpm: number, now: number): number {
  const earlier = times.at(-rpm);
  return earlier === undefined ? now : Math.max(now, earlier + minuteMs);
}

/** Returns middleware that lets an agent make at most `rpm` model calls in a minute. All parallel tasks of the agent share this limit. */
export const pace = (agent: string, rpm: number) =>
  createMiddleware({
    name: "pace",
    wrapModelCall: async (request, handler) => {
      const { control, signal }: LangGraphRunnableConfig = getConfig() ?? {};
      const ofRun = (control && executions.get(control)) ?? new Map<string, number[]>();
      if (control) executions.set(control, ofRun);
      const times = ofRun.get(agent) ?? [];
      const now = Date.now();
      const time = nextTime(times, rpm, now);
      ofRun.set(agent, [...times, time].slice(-rpm));
      if (time > now) await sleep(time - now, undefined, { signal });
      return handler(request);
    },
  });
