import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { tell } from "../../parts/toast.tsx";
import type { CronBody } from "./draft.ts";
import type { Cron } from "./reads.ts";

interface Saved {
  assistantId: string;
  /** The id of the thread of a new cron. Empty if each run gets a new thread. */
  threadId: string;
  body: Omit<CronBody, "assistant_id">;
}

/** Creates a cron, or changes `cron` if it is given. */
export function useSaveCron(cron: Cron | undefined, onDone: () => void): UseMutationResult<Cron, Error, Saved> {
  return useMutation({
    mutationFn: (saved) => (cron ? change(cron, saved.body) : create(saved)),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["crons"] });
      tell(cron ? "The cron was saved." : "The cron was created.");
      onDone();
    },
  });
}

function create({ assistantId, threadId, body }: Saved): Promise<Cron> {
  const cron = { ...body, assistant_id: assistantId };
  const thread = threadId.trim();
  if (thread === "") return answerOf(api.POST("/runs/crons", { body: cron }));
  return answerOf(api.POST("/threads/{threadId}/runs/crons", { params: { path: { threadId: thread } }, body: cron }));
}

/** Sends only the changed fields, because a change of the run's settings makes the caller the owner of the cron's runs. */
function change(cron: Cron, body: Saved["body"]): Promise<Cron> {
  const present: Record<string, unknown> = { ...cron.payload, ...cron };
  const changes = Object.fromEntries(Object.entries(body).filter(([name, value]) => textOf(name, value) !== textOf(name, present[name])));
  return answerOf(api.PATCH("/runs/crons/{cronId}", { params: { path: { cronId: cron.cron_id } }, body: changes }));
}

/** Returns a text by which two values are compared. An empty config or context is equal to null. */
function textOf(name: string, value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text === "{}" && (name === "config" || name === "context") ? "null" : text;
}
