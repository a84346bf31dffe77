import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { openPool } from "../src/db/pool.ts";

declare module "vitest" {
  interface ProvidedContext {
    serverUrl: string;
    templateName: string;
  }
}

/** The connections of the test server. Up to four test files run at once, each with up to six services of up to a dozen connections. */
const enoughForAll = 500;

/**
 * Settings for fast tests. The data need not survive the tests, so Postgres need not wait for the disk. The
 * connections of the tests are short, and otherwise plan each statement five times before they keep a plan.
 */
const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", plan_cache_mode: "force_generic_plan" };

/**
 * Starts one Postgres for all tests: an embedded server, or the server of DATABASE_URL. Each test file gets a copy of the migrated template
 * database.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), "ensemble-test-"));
  await chmod(home, 0o755); // for root, whose Postgres runs as another user
  const given = process.env.DATABASE_URL;
  const embedded = given ? undefined : await startEmbeddedPostgres(join(home, "data"), enoughForAll);
  const serverUrl = given ?? embedded?.url ?? "";
  const templateName = `ensemble_template_${process.pid}_${Date.now()}`;
  const admin = openPool({ url: serverUrl, size: 1, onError: console.error });
  if (embedded) {
    for (const [name, value] of Object.entries(fast)) await admin.query(`alter system set ${name} = ${value}`);
    await admin.query("select pg_reload_conf()");
  }
  await admin.query(`create database ${templateName}`);

  const pool = openPool({ url: databaseUrl(serverUrl, templateName), size: 1, onError: console.error });
  await migrate(pool);
  await pool.end();
  project.provide("serverUrl", serverUrl);
  project.provide("templateName", templateName);

  return async () => {
    await admin.query(`drop database ${templateName}`);
    await admin.end();
    await embedded?.stop();
    await rm(home, { recursive: true, force: true });
  };
}

export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
