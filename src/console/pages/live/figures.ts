import { answerOf, api } from "../../api.ts";

/** The figures on the live page, from the service's metrics. A figure is undefined if the service could not read it from the database. */
export interface Figures {
  running: number | undefined;
  queued: number | undefined;
  forLater: number | undefined;
  oldestSeconds: number | undefined;
  databaseBytes: number | undefined;
  /** The number of runs that this process has taken over from lost workers. Undefined if this process executes no runs. */
  takenOver: number | undefined;
  /** The graphs without a worker, each with the number of its waiting threads. */
  withoutWorker: { graph: string; threads: number }[];
}

interface Metric {
  name: string;
  values: { value: number; labels: Record<string, string> }[];
}

/** Reads the metrics. The service refreshes metrics from the database at most every 5 seconds. */
export async function readFigures(signal: AbortSignal): Promise<Figures> {
  const metrics = (await answerOf(api.GET("/metrics", { params: { query: { format: "json" } }, signal }))) as unknown as Metric[];
  const valuesOf = (name: string) => metrics.find((metric) => metric.name === `ensemble_${name}`)?.values ?? [];
  const one = (name: string) => valuesOf(name)[0]?.value;
  const sizes = valuesOf("table_bytes");
  return {
    running: valuesOf("runs").find(({ labels }) => labels.status === "running")?.value,
    queued: one("queue_depth"),
    forLater: one("queue_delayed"),
    oldestSeconds: one("queue_oldest_seconds"),
    databaseBytes: sizes.length > 0 ? sizes.reduce((sum, { value }) => sum + value, 0) : undefined,
    takenOver: one("slots") ? one("takeovers_total") : undefined,
    withoutWorker: valuesOf("threads_without_worker").flatMap(({ value, labels }) =>
      value > 0 && labels.graph !== undefined ? [{ graph: labels.graph, threads: value }] : [],
    ),
  };
}

/** The fields of /info that the live page uses. */
export interface Info {
  halted: boolean | null;
  model: string | null;
}

export const readInfo = async (signal: AbortSignal): Promise<Info> => (await answerOf(api.GET("/info", { signal }))) as unknown as Info;
