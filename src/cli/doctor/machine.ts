import { createServer } from "node:net";
import type { Config } from "../../config.ts";
import { type Finding, ok, problem, warning } from "./check.ts";

/** The oldest Node that runs TypeScript files without a flag. */
const oldestNode = [22, 18] as const;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (isOld) return problem("Node", `This is Node ${version}.`, `Install Node ${oldestNode.join(".")} or newer.`);
  return ok("Node", version);
}

/** Checks that the API can listen on its port. */
export async function checkPort({ role, host, port, portIsSet }: Config): Promise<Finding> {
  if (role === "worker") return ok("Port", "A worker has no API.");
  const failure = await tryToListen(host, port);
  if (!failure) return ok("Port", `${port} on ${host} is free.`);
  const own = await answersAsEnsemble(host, port);
  if (own) return ok("Port", `An Ensemble service already listens on port ${port}.`);
  const fact = `${host}:${port} cannot be used: ${failure}.`;
  if (portIsSet) return problem("Port", fact, "Set PORT to a free port, or stop the other program.");
  return warning("Port", fact, "The service takes the next free port. Set PORT to choose one.");
}

async function tryToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

async function answersAsEnsemble(host: string, port: number): Promise<boolean> {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const response = await fetch(`http://${name}:${port}/info`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  const info: unknown = await response?.json().catch(() => undefined);
  return typeof info === "object" && info !== null && "halted" in info;
}

/** Checks which model the graphs will call. Never shows the API key. */
export function checkModel({ hasModelEndpoint }: Config, env: NodeJS.ProcessEnv = process.env): Finding {
  if (!hasModelEndpoint)
    return warning("Model", "The rehearsal model answers.", "Set OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint.");
  if (!env.OPENAI_API_KEY)
    return warning("Model", "OPENAI_BASE_URL is set without a key.", "Set OPENAI_API_KEY, even if the endpoint accepts any key.");
  return ok("Model", env.OPENAI_BASE_URL ? "OPENAI_BASE_URL is used." : "OPENAI_API_KEY is set.");
}
