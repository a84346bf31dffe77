import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { onTestFinished } from "vitest";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("The system gave no port.");
  return address.port;
}

/** Starts Debian's PgBouncer before a database, with these settings. Returns the URL through it. */
export async function startPgBouncer(databaseUrl: string, settings: Record<string, string>): Promise<string> {
  const target = new URL(databaseUrl);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "ensemble-pgbouncer-"));
  const user = decodeURIComponent(target.username);
  const password = decodeURIComponent(target.password);
  const all = { listen_addr: "127.0.0.1", listen_port: port, unix_socket_dir: "", auth_type: "any", ...settings };
  const name = target.pathname.slice(1);
  const place = `host=${target.hostname} port=${target.port} dbname=${name} user=${user}${password ? ` password=${password}` : ""}`;
  const lines = Object.entries(all).map(([setting, value]) => `${setting} = ${value}`);
  await writeFile(join(folder, "pgbouncer.ini"), `[databases]\n${name} = ${place}\n[pgbouncer]\n${lines.join("\n")}\n`);
  await chmod(folder, 0o755);
  await chmod(join(folder, "pgbouncer.ini"), 0o644);
  const asRoot = process.getuid?.() === 0; // PgBouncer refuses to run as root
  const child = spawn("pgbouncer", [...(asRoot ? ["-u", "nobody"] : []), join(folder, "pgbouncer.ini")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => end(child, folder));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  await untilItAnswers(url.href, child);
  return url.href;
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
}

async function untilItAnswers(url: string, child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.on("data", (chunk) => (said += chunk));
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  const answers = async () => {
    for (;;) {
      const client = new pg.Client(url);
      const isThere = await client.connect().then(
        () => true,
        () => false,
      );
      await client.end().catch(() => {});
      if (isThere) return;
      if (child.exitCode !== null) throw new Error(`PgBouncer ended: ${said}`);
      await sleep(50);
    }
  };
  await Promise.race([answers(), failed]);
}
