import type { ListTasksRequest, ListTasksResponse, Task } from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { z } from "zod";
import { isId } from "../../db/ids.ts";
import { countTasks, searchTasks, type TaskRun } from "../../runs/tasks.ts";
import { pageBytes } from "../memory.ts";
import type { A2aCall } from "./a2a-call.ts";
import { toTask } from "./task-result.ts";
import { phaseFor } from "./task-state.ts";

const usualSize = 50;
const largestSize = 100;

/** Lists the tasks of the assistant that the caller may read. The task with the newest change comes first. */
export async function listTasks(call: A2aCall, params: ListTasksRequest): Promise<ListTasksResponse> {
  const { deps, request, assistant } = call;
  const pageSize = sizeOf(params.pageSize);
  const filter = { assistantId: assistant.assistant_id, ...filterOf(params) };
  const asked = { thread_id: filter.threadId, metadata: { assistant_id: assistant.assistant_id } };
  const { scope } = await request.access("threads:search", asked);
  if (filter.isImpossible) return { tasks: [], nextPageToken: "", pageSize, totalSize: 0 };
  const after = params.pageToken ? cursorIn(params.pageToken) : undefined;
  const found = await searchTasks(deps.pool, scope, { ...filter, after, limit: pageSize + 1 });
  const rows = found.slice(0, pageSize);
  const tasks = await describe(call, rows, params);
  const more = found.length > tasks.length;
  const totalSize = !after && !more ? tasks.length : await countTasks(deps.pool, scope, filter);
  return { tasks, nextPageToken: more ? cursorAt(rows[tasks.length - 1]) : "", pageSize, totalSize };
}

function sizeOf(given: number | undefined): number {
  const size = given ?? usualSize;
  if (!Number.isInteger(size) || size < 1 || size > largestSize) {
    throw new RequestMalformedError(`pageSize: must be a whole number from 1 to ${largestSize}.`);
  }
  return size;
}

function filterOf({ contextId, status, statusTimestampAfter }: ListTasksRequest) {
  const changedSince = statusTimestampAfter ? new Date(statusTimestampAfter) : undefined;
  if (changedSince && !Number.isFinite(changedSince.getTime()))
    throw new RequestMalformedError("statusTimestampAfter: is not a valid time.");
  const phase = status === TaskState.TASK_STATE_UNSPECIFIED ? undefined : phaseFor(status);
  if (status === TaskState.UNRECOGNIZED) throw new RequestMalformedError("status: is not a state of tasks.");
  const isImpossible = (contextId !== "" && !isId(contextId)) || (status !== TaskState.TASK_STATE_UNSPECIFIED && phase === undefined);
  return { threadId: isId(contextId) ? contextId.toLowerCase() : undefined, phase, changedSince, isImpossible };
}

/** Returns the tasks of a page. If the artifacts would make the page too large, returns the first tasks only. The rest is on the next page. */
async function describe(
  call: A2aCall,
  rows: TaskRun[],
  { historyLength = 0, includeArtifacts = false }: ListTasksRequest,
): Promise<Task[]> {
  const tasks: Task[] = [];
  let bytes = 0;
  for (const row of rows) {
    const task = await toTask(call, row, { historyLength, artifacts: includeArtifacts });
    bytes += JSON.stringify([task.history, task.artifacts]).length;
    if (tasks.length > 0 && bytes > pageBytes) break;
    tasks.push(task);
  }
  return tasks;
}

const Cursor = z.tuple([z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\d.+:-]*$/), z.string().regex(/^\d{1,18}$/)]);

const cursorAt = (row: TaskRun | undefined) => Buffer.from(JSON.stringify([row?.changed, row?.seq])).toString("base64url");

function cursorIn(token: string): { changed: string; seq: string } {
  try {
    const [changed, seq] = Cursor.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
    return { changed, seq };
  } catch {
    throw new RequestMalformedError("pageToken: is no token of an earlier page.");
  }
}
