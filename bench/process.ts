import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { settings } from "../src/settings.ts";

/** A server in a separate process. */
export interface ServerProcess {
  pid: number;
  /** The text of the output that matched the readiness pattern. */
  found: string;
  /** The address of the inspector. Undefined unless the process was started with one. */
  inspector: string | undefined;
  /** Asks the process to end, and kills it if it does not end in time. */
  stop(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const goneTimeoutMs = 15_000;

/** Starts Node with these arguments, and waits until its output matches the readiness pattern. */
export async function startProcess(args: string[], env: Record<string, string>, ready: RegExp): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, { env: { ...neutralEnvironment(), ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => void child.kill("SIGKILL"); // kills the child if this process exits first
  process.on("exit", kill);
  child.on("exit", () => process.off("exit", kill));
  const { found, output } = await untilReady(child, ready).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    found,
    inspector: /Debugger listening on (ws:\S+)/.exec(output)?.[1],
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const gone = await Promise.race([exited, sleep(goneTimeoutMs, undefined, { ref: false })]);
      if (!gone) child.kill("SIGKILL");
      await exited;
    },
  };
}

/**
 * Returns the environment without the shell's settings for the service and for other services, such as API keys, databases, models or
 * tracers.
 */
function neutralEnvironment(): NodeJS.ProcessEnv {
  const isTheirs = (name: string) => name in settings || /^(DATABASE|POSTGRES)_URI$|^LANG(CHAIN|GRAPH|SMITH)_/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isTheirs(name)));
}

async function untilReady(child: ChildProcess, ready: RegExp): Promise<{ found: string; output: string }> {
  let output = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const listen = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-20_000);
    const match = ready.exec(output);
    if (match) resolve(match[1] ?? match[0]);
  };
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  child.on("error", reject);
  child.on("exit", () => reject(new Error(`A process ended before it was ready:\n${output}`)));
  const timer = setTimeout(() => reject(new Error(`A process was not ready in time:\n${output}`)), readyTimeoutMs);
  return { found: await promise.finally(() => clearTimeout(timer)), output };
}
