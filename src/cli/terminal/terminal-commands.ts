import type { Arguments, Command, Option } from "../arguments.ts";

const url: Option = { type: "string", value: "http://…", means: "URL of the service, else ENSEMBLE_URL, else this project's service" };
const json: Option = { type: "boolean", means: "print JSON for programs" };
const thread: Option = { type: "string", value: "id", means: "only this thread" };

const exitCodes = [
  "Exit codes: 0 done, 1 the run failed or was cancelled or the command was wrong,",
  "3 the run waits for an answer, 130 left with Ctrl-C while the run goes on.",
];

/** Returns a command that calls `follow`, and sets the process's exit code to the number that `follow` returns. */
const ending = (follow: (args: Arguments) => Promise<number>) => async (args: Arguments) => {
  process.exitCode = await follow(args);
};

/** The commands that only send requests to a running service. */
export const terminalCommands: Record<string, Command> = {
  run: {
    summary: "run a graph, show its progress and answer its questions",
    examples: [
      "ensemble run echo --task hello",
      "ensemble run react --task 'Calculate 12 * 7' --context careful.json",
      "ensemble run echo --input input.json --json",
    ],
    takes: ["<graph>"],
    options: {
      task: { type: "string", value: "text", means: "task of the run, sent as a message if the graph takes messages" },
      input: { type: "string", value: "file.json", means: "input of the run (- reads stdin)" },
      context: { type: "string", value: "file.json", means: "context of the run" },
      thread: { type: "string", value: "id", means: "thread to continue, else a new one" },
      resume: { type: "string", value: "json", means: "answer to the thread's open question" },
      json: { type: "boolean", means: "print JSON for programs: one event a line, then the final values" },
      url,
    },
    details: exitCodes,
    run: ending(async (args) => (await import("./run-command.ts")).run(args)),
  },
  watch: {
    summary: "join the run of a thread and show it",
    examples: ["ensemble watch 01a2247e-493e-707a-a88b-7a2f4ab5792d"],
    takes: ["<thread>"],
    options: { json: { type: "boolean", means: "print JSON for programs: one event a line, then the final values" }, url },
    details: exitCodes,
    run: ending(async (args) => (await import("./watch-command.ts")).watch(args)),
  },
  crew: {
    summary: "run the crew of a folder with agents.yaml and tasks.yaml, as CrewAI has them",
    examples: ["ensemble crew crews/research --task 'Compare two databases'"],
    takes: ["<folder>"],
    options: {
      task: { type: "string", value: "text", means: "task of the run, for the placeholder {task}" },
      inputs: { type: "string", value: "file.json", means: "values for the placeholders (- reads stdin)" },
      context: { type: "string", value: "file.json", means: "context of the run" },
      thread: { type: "string", value: "id", means: "thread to continue, else a new one" },
      resume: { type: "string", value: "json", means: "answer to the thread's open question" },
      json: { type: "boolean", means: "print JSON for programs: one event a line, then the final values" },
      url,
    },
    details: exitCodes,
    run: ending(async (args) => (await import("./crew-command.ts")).crew(args)),
  },
  graphs: {
    summary: "list the graphs",
    examples: ["ensemble graphs"],
    options: { json, url },
    run: async (args) => (await import("./list-commands.ts")).listGraphs(args),
  },
  runs: {
    summary: "list the newest runs",
    examples: ["ensemble runs --status error --limit 5"],
    options: {
      thread,
      status: { type: "string", value: "status", means: "pending, running, success, error, timeout or interrupted" },
      limit: { type: "string", value: "n", means: "maximum number of runs, else 20" },
      json,
      url,
    },
    run: async (args) => (await import("./list-commands.ts")).listRuns(args),
  },
  show: {
    summary: "show the status and the result of a run",
    examples: ["ensemble show 01a2247e-4aad-77b4-aa06-173f8f5a676c"],
    takes: ["<run>"],
    options: { thread: { type: "string", value: "id", means: "thread of the run (makes the search faster)" }, json, url },
    run: async (args) => (await import("./list-commands.ts")).showRun(args),
  },
  work: {
    summary: "show the work items of the pattern work-engine: list, show, tail, graph, hooks or stats",
    examples: ["ensemble work list", "ensemble work tail my-project"],
    takes: ["[action]", "[project|item]"],
    options: {
      since: { type: "string", value: "date", means: "with hooks: only stages that ended since then" },
      limit: { type: "string", value: "n", means: "with tail: number of earlier events to show first, else 10" },
      json,
      url,
    },
    run: async (args) => (await import("../work/work-command.ts")).work(args),
  },
  cancel: {
    summary: "cancel a run, or all open runs of a thread",
    examples: ["ensemble cancel 01a2247e-4aad-77b4-aa06-173f8f5a676c --rollback"],
    takes: ["<run|thread>"],
    options: { rollback: { type: "boolean", means: "also remove the run and everything it has stored" }, url },
    run: async (args) => (await import("./cancel-command.ts")).cancel(args),
  },
  demo: {
    summary: "show the scenario orchestrator, with a service of its own if none runs",
    examples: ["ensemble demo --skill security-scanning --mode lockstep"],
    options: {
      skill: { type: "string", value: "name", means: "skill to try at three difficulties, else data-transformation" },
      mode: { type: "string", value: "mode", means: "free, milestone or lockstep" },
      keep: { type: "boolean", means: "keep the service that the demo started" },
      json: { type: "boolean", means: "print JSON for programs: one event a line, then the final values" },
      url,
    },
    details: exitCodes,
    run: ending(async (args) => (await import("../demo/demo.ts")).demo(args)),
  },
};
