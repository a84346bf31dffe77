import type { Command, Given, Option } from "../arguments.ts";

const url: Option = { type: "string", value: "http://…", means: "the service, else ENSEMBLE_URL, else this project's" };
const json: Option = { type: "boolean", means: "for machines: JSON" };
const thread: Option = { type: "string", value: "id", means: "only this thread" };

const exitCodes = [
  "Exit codes: 0 done, 1 the run failed or was cancelled or the command was wrong,",
  "3 the run waits for an answer, 130 left with Ctrl-C while the run goes on.",
];

/** A command about a run says how that ended. */
const ending = (follow: (given: Given) => Promise<number>) => async (given: Given) => {
  process.exitCode = await follow(given);
};

/** The commands that talk to a running service, and nothing else. */
export const terminalCommands: Record<string, Command> = {
  run: {
    summary: "run a graph and show it as it goes, answering what it asks",
    takes: ["<graph>"],
    options: {
      task: { type: "string", value: "text", means: "what it is to do; a graph that takes messages gets it as one" },
      input: { type: "string", value: "file.json", means: "its input; - reads it from stdin" },
      context: { type: "string", value: "file.json", means: "its configuration" },
      thread: { type: "string", value: "id", means: "the thread to go on with, else a new one" },
      resume: { type: "string", value: "json", means: "the answer to what the thread waits for" },
      json: { type: "boolean", means: "for machines: a JSON object a line, at the end the final values" },
      url,
    },
    details: exitCodes,
    run: ending(async (given) => (await import("./run.ts")).run(given)),
  },
  watch: {
    summary: "join the run of a thread and show it",
    takes: ["<thread>"],
    options: { json: { type: "boolean", means: "for machines: a JSON object a line, at the end the final values" }, url },
    details: exitCodes,
    run: ending(async (given) => (await import("./watch.ts")).watch(given)),
  },
  graphs: { summary: "list the graphs", options: { json, url }, run: async (given) => (await import("./lists.ts")).listGraphs(given) },
  runs: {
    summary: "list the newest runs",
    options: {
      thread,
      status: { type: "string", value: "status", means: "pending, running, success, error, timeout or interrupted" },
      limit: { type: "string", value: "n", means: "how many at most, else 20" },
      json,
      url,
    },
    run: async (given) => (await import("./lists.ts")).listRuns(given),
  },
  show: {
    summary: "show where a run stands and what it came to",
    takes: ["<run>"],
    options: { thread: { type: "string", value: "id", means: "its thread, if known: that is faster" }, json, url },
    run: async (given) => (await import("./lists.ts")).showRun(given),
  },
  cancel: {
    summary: "cancel a run, or what is open on a thread",
    takes: ["<run|thread>"],
    options: { rollback: { type: "boolean", means: "and remove it, with all it has stored" }, url },
    run: async (given) => (await import("./cancel.ts")).cancel(given),
  },
  demo: {
    summary: "show the scenario orchestrator; starts a service where none runs",
    options: {
      skill: { type: "string", value: "name", means: "what is tried at three difficulties, else data-transformation" },
      mode: { type: "string", value: "mode", means: "free, milestone or lockstep" },
      keep: { type: "boolean", means: "leave the service running that it started" },
      json: { type: "boolean", means: "for machines: a JSON object a line, at the end the final values" },
      url,
    },
    details: exitCodes,
    run: ending(async (given) => (await import("./demo.ts")).demo(given)),
  },
};
