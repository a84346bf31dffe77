import { startChild } from "../child.ts";
import { LoadResult } from "../load/load.ts";
import type { Contender } from "./contender.ts";

/** Starts LangGraph without a service, in a separate process. Its CPU time is thus measured in the same way as for the other contenders. */
export async function startInProcess(name: string, saver: "none" | "stock" | "ours", url: string): Promise<Contender> {
  const child = startChild(new URL("./in-process-child.ts", import.meta.url), { saver, url });
  return { name, pids: [child.pid], run: (load) => child.ask(load, LoadResult), stop: child.stop };
}
