import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { again, ServiceMessage } from "./messages.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const program = fileURLToPath(new URL(`./service-process.${extension}`, import.meta.url));

/** How the process of a service ended: with an exit code, or by a signal. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The running process of the service, and the functions that stop the process. */
export interface Child {
  ended: Promise<Ending>;
  /**
   * Stops the service. Kills it after `seconds` if it has not stopped by then, because a graph may block the process. A service that is
   * still starting is killed immediately. No run is lost, because the next service process continues the runs.
   */
  stop(seconds: number): Promise<void>;
  /** Tells the service to stop immediately. The runs that it is executing return to the queue. */
  hurry(): void;
}

/**
 * Starts the service in a process of its own. This process has its own session, so that Ctrl-C in the terminal reaches only `ensemble dev`,
 * which then stops the service.
 */
export function startChild(
  env: NodeJS.ProcessEnv,
  isFirst: boolean,
  { onImported, onStarted }: { onImported(files: string[]): void; onStarted(url: string | undefined): void },
): Child {
  const child = fork(program, isFirst ? [] : [again], {
    env,
    execArgv: [],
    detached: process.platform !== "win32",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let hasStarted = false;
  child.on("message", (sent) => {
    const message = ServiceMessage.parse(sent);
    if (message.kind === "imported") onImported(message.files);
    else {
      hasStarted = true;
      onStarted(message.url);
    }
  });
  const ended = once(child, "exit").then(
    ([code, signal]): Ending => ({ code, signal }),
    (error: Error): Ending => {
      console.error(`The service could not be started: ${error.message}`); // for example, the system allows no more processes
      return { code: 1, signal: null };
    },
  );
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    ended,
    async stop(seconds) {
      child.kill(hasStarted ? "SIGTERM" : "SIGKILL");
      await Promise.race([ended, sleep(seconds * 1000, undefined, { ref: false })]);
      if (isRunning()) child.kill("SIGKILL");
      await ended;
    },
    hurry: () => void child.kill("SIGTERM"),
  };
}
