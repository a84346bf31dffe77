import type { UseQueryResult } from "@tanstack/react-query";
import { ApiFailure, answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
import { useLive } from "../../live.ts";

export type Cron = Schemas["Cron"];
export type DeadWebhook = Schemas["DeadWebhook"];
export type DeadLetter = Schemas["DeadLetter"];
export type WholeLetter = Schemas["WholeDeadLetter"];
export type LastRun = Pick<Schemas["FoundRun"], "run_id" | "thread_id" | "status" | "created_at">;
export type NamedAssistant = Pick<Schemas["Assistant"], "assistant_id" | "name" | "graph_id">;

/** The filters of the crons, as the URL contains them. An empty text means that a filter is not set. */
export interface CronFilters {
  assistant: string;
  /** The state of the crons: "active" or "paused". */
  state: string;
  offset: number;
}

/** The filters of the dead letters, as the URL contains them. */
export interface LetterFilters {
  /** The kind of the letters. Undefined means every kind. */
  kind: DeadLetter["kind"] | undefined;
  state: DeadLetter["state"];
  offset: number;
}

export interface Listed<Entry> {
  entries: Entry[];
  total: number;
}

const totalOf = (headers: Headers, shown: number) => Number(headers.get("x-pagination-total") ?? shown);

/** The number of crons on a page. It is small, because each cron on the page requests its last runs. */
export const cronsPerPage = 20;

/** Reads a page of crons, sorted by their next tick. */
export const useCrons = ({ assistant, state, offset }: CronFilters): UseQueryResult<Listed<Cron>> =>
  useLive(
    ["crons", assistant, state, offset],
    async (signal) => {
      const body = {
        ...(assistant && { assistant_id: assistant }),
        ...(state && { enabled: state === "active" }),
        limit: cronsPerPage,
        offset,
        sort_by: "next_run_date" as const,
        sort_order: "asc" as const,
      };
      const { data, headers } = await answerWithHeaders(api.POST("/runs/crons/search", { body, signal }));
      return { entries: data, total: totalOf(headers, data.length) };
    },
    { every: 5_000 },
  );

/** Reads a cron. Returns null if there is none with this id. */
export const useCron = (id: string): UseQueryResult<Cron | null> =>
  useLive(["crons", "one", id], (signal) =>
    answerOf(api.GET("/runs/crons/{cronId}", { params: { path: { cronId: id } }, signal })).catch((error) => {
      if (error instanceof ApiFailure && error.status === 404) return null;
      throw error;
    }),
  );

/** Reads the last runs of a cron. The service stores the cron's id in the metadata of each run. */
export const useLastRuns = (cronId: string): UseQueryResult<LastRun[]> =>
  useLive(
    ["cron runs", cronId],
    async (signal) => {
      const select = ["run_id" as const, "thread_id" as const, "status" as const, "created_at" as const];
      return answerOf(api.POST("/runs/search", { body: { metadata: { cron_id: cronId }, limit: 5, select }, signal }));
    },
    { every: 20_000 },
  );

export const useAssistants = (): UseQueryResult<NamedAssistant[]> =>
  useLive(
    ["assistant names"],
    async (signal) => {
      const select = ["assistant_id" as const, "name" as const, "graph_id" as const];
      return answerOf(api.POST("/assistants/search", { body: { limit: 1_000, sort_by: "name", sort_order: "asc", select }, signal }));
    },
    { every: 60_000 },
  );

export const lettersPerPage = 50;

/** Reads a page of dead letters, the newest failure first. */
export const useDeadLetters = ({ kind, state, offset }: LetterFilters): UseQueryResult<Listed<DeadLetter>> =>
  useLive(
    ["dead letters", kind, state, offset],
    async (signal) => {
      const query = { ...(kind && { kind }), state, limit: lettersPerPage, offset };
      const { data, headers } = await answerWithHeaders(api.GET("/dead-letters", { params: { query }, signal }));
      return { entries: data, total: totalOf(headers, data.length) };
    },
    { every: 5_000 },
  );

/** Reads a dead letter with its payload. */
export const useDeadLetter = (id: string): UseQueryResult<WholeLetter> =>
  useLive(["dead letters", "one", id], (signal) =>
    answerOf(api.GET("/dead-letters/{letterId}", { params: { path: { letterId: id } }, signal })),
  );

export const webhooksPerPage = 50;

export const useDeadWebhooks = (offset: number): UseQueryResult<Listed<DeadWebhook>> =>
  useLive(
    ["dead webhooks", offset],
    async (signal) => {
      const query = { limit: webhooksPerPage, offset };
      const { data, headers } = await answerWithHeaders(api.GET("/webhooks/dead", { params: { query }, signal }));
      return { entries: data, total: totalOf(headers, data.length) };
    },
    { every: 5_000 },
  );
