import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import { getRun } from "../../runs/read.ts";
import { readTree } from "../../streaming/tree.ts";
import { Id } from "../schemas.ts";
import { CommandError, withParams } from "./command.ts";
import { newestRun } from "./input.ts";

/** A run and the graphs and nodes below it, with what has become of each. The newest run, when none is named. */
export const getTree = withParams(z.object({ run_id: Id.nullish() }), async (scope, { run_id: runId }) => {
  const { pool } = scope.deps;
  const { threadId, readable } = scope;
  const run = runId
    ? await getRun(pool, readable, threadId, runId).catch((error) => {
        throw error instanceof ServiceError ? new CommandError("no_such_run", `Thread ${threadId} has no run ${runId}.`) : error;
      })
    : await newestRun(pool, readable, threadId);
  const graphId = String(run.kwargs.config.configurable?.graph_id);
  return { tree: await readTree(pool, { runId: run.run_id, graphId, modes: run.kwargs.stream_mode }) };
});
