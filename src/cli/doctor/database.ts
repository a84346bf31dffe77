import type { Config } from "../../config.ts";
import { checkDatabaseUrl, explainDatabase } from "../../db/address.ts";
import { findEmbeddedPostgres } from "../../db/embedded.ts";
import { checkServerVersion, unappliedMigrations } from "../../db/migrate.ts";
import { openPool } from "../../db/pool.ts";
import { type Db, sql } from "../../db/sql.ts";
import type { Project } from "../../registry/project.ts";
import { type Finding, messageOf, ok, problem, warning } from "./check.ts";
import { checkEncryption } from "./encryption.ts";

const about = "Postgres";

/** Checks the database: that it answers, its version, its migrations, and pgvector if the project has an index. Changes nothing. */
export async function checkDatabase(config: Config, project: Project | undefined): Promise<Finding[]> {
  try {
    const url = await urlOf(config);
    if (url === undefined) return [embedded(config)];
    const pool = openPool({ url, size: 1, onError: () => {} });
    try {
      const findings = await inspect(pool, project).catch(explainDatabase(url));
      return [...findings, ...(await checkEncryption(url, config, project))];
    } finally {
      await pool.end();
    }
  } catch (error) {
    return [problem(about, messageOf(error), "Check DATABASE_URL, and that the server is running and reachable from here.")];
  }
}

async function urlOf({ databaseUrl, databaseDirectUrl, dataDir }: Config): Promise<string | undefined> {
  const url = databaseDirectUrl ?? databaseUrl;
  return url ? checkDatabaseUrl("DATABASE_URL", url) : findEmbeddedPostgres(dataDir);
}

function embedded({ role, dataDir }: Config): Finding {
  if (role !== "all") return problem(about, `ENSEMBLE_ROLE=${role} has no database.`, "Set DATABASE_URL.");
  return ok(about, `DATABASE_URL is not set, so the service starts its own Postgres in ${dataDir}.`);
}

async function inspect(db: Db, project: Project | undefined): Promise<Finding[]> {
  const { rows } = await db.query<{ number: number; name: string }>(sql`
    select current_setting('server_version_num')::integer as number, current_setting('server_version') as name`);
  const { number = 0, name = "" } = rows[0] ?? {};
  try {
    checkServerVersion(number);
  } catch (error) {
    return [problem(about, messageOf(error), "Use a newer server.")];
  }
  return [ok(about, `Version ${name} answers.`), await checkSchema(db), ...(await checkPgvector(db, project))];
}

async function checkSchema(db: Db): Promise<Finding> {
  const missing = await unappliedMigrations(db);
  if (missing.length === 0) return ok("Schema", "The database is migrated to this release.");
  const fact = `${missing.length === 1 ? "1 migration is" : `${missing.length} migrations are`} not applied yet.`;
  return warning("Schema", fact, 'The next start applies them. To do it before, run "ensemble migrate".');
}

async function checkPgvector(db: Db, project: Project | undefined): Promise<Finding[]> {
  if (!project?.store.index) return [];
  const { rows } = await db.query<{ installed: string | null }>(sql`
    select installed_version as installed from pg_available_extensions where name = 'vector'`);
  const [found] = rows;
  if (found) return [ok("pgvector", found.installed ? `Version ${found.installed} is installed.` : "The server has it.")];
  return [
    warning(
      "pgvector",
      "The server does not have it.",
      "Search works without it, but is slower with many items. Install pgvector on the server.",
    ),
  ];
}
