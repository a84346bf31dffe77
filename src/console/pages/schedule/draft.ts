import { useState } from "react";
import type { PostBody } from "../../api.ts";
import { jsonText, type ParsedObject, parseObject, withKeptKeys } from "../../parts/json-field.tsx";
import type { Cron } from "./reads.ts";

interface Typed {
  schedule: string;
  timezone: string;
  /** The time after which the cron ends, as the text of a `datetime-local` field. Empty if the cron never ends. */
  end: string;
  webhook: string;
  threadId: string;
  onCompleted: "delete" | "keep";
  isEnabled: boolean;
  configText: string;
  metadataText: string;
}

/** The state of the cron form except its input and its context: the typed texts, their parsed values and their problems. */
export interface CronDraft extends Typed {
  config: ParsedObject;
  metadata: ParsedObject;
  scheduleProblem: string | undefined;
  set: (changes: Partial<Typed>) => void;
  /** The number of times that the person has tried to save. After the first try, the form shows its problems. */
  tries: number;
  addTry: () => void;
}

export function useCronDraft(cron: Cron | undefined): CronDraft {
  const [typed, setTyped] = useState(() => typedOf(cron));
  const [tries, setTries] = useState(0);
  return {
    ...typed,
    tries,
    addTry: () => setTries(tries + 1),
    scheduleProblem: tries > 0 && typed.schedule.trim() === "" ? "Enter a schedule." : undefined,
    config: parseObject(typed.configText),
    metadata: withKeptKeys(parseObject(typed.metadataText), cron?.metadata),
    set: (changes) => setTyped((old) => ({ ...old, ...changes })),
  };
}

const typedOf = (cron: Cron | undefined): Typed => ({
  schedule: cron?.schedule ?? "",
  timezone: cron?.timezone ?? "",
  end: toLocal(cron?.end_time),
  webhook: typeof cron?.payload.webhook === "string" ? cron.payload.webhook : "",
  threadId: cron?.thread_id ?? "",
  onCompleted: cron?.on_run_completed ?? "delete",
  isEnabled: cron?.enabled ?? true,
  configText: jsonText(cron?.payload.config ?? {}),
  metadataText: jsonText(cron?.metadata ?? {}),
});

export type CronBody = PostBody<"/runs/crons">;

/** Returns the body of the request, without the assistant. Returns undefined if a field is invalid. */
export function bodyOf(draft: CronDraft, cron: Cron | undefined): Omit<CronBody, "assistant_id"> | undefined {
  const { schedule, timezone, end, webhook, onCompleted, isEnabled, config, metadata } = draft;
  if (schedule.trim() === "" || !("value" in config) || !("value" in metadata)) return undefined;
  const isSameEnd = cron !== undefined && end === toLocal(cron.end_time); // the field shows minutes, but the stored time may have seconds
  return {
    schedule: schedule.trim(),
    timezone: timezone.trim() || null,
    ...(!isSameEnd && { end_time: end === "" ? null : new Date(end).toISOString() }),
    webhook: webhook.trim() || null,
    on_run_completed: onCompleted,
    enabled: isEnabled,
    config: config.value,
    metadata: metadata.value,
  };
}

/** Returns a time as the text of a `datetime-local` field, in the time zone of the browser. */
function toLocal(time: string | null | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
