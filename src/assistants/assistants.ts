import { createHash } from "node:crypto";
import { lengthOf } from "../db/bounded.ts";
import { isId, systemAssistantId } from "../db/ids.ts";
import { containing, type Page, paged } from "../db/paging.ts";
import { everything, type Scope } from "../db/scope.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, nothing, prepared, type Sql, sql } from "../db/sql.ts";
import { assistantNotFound, ServiceError } from "../errors.ts";
import { hasBudget } from "../usage/budgets.ts";

export type Json = Record<string, unknown>;

export interface AssistantConfig {
  tags?: string[];
  recursion_limit?: number;
  configurable?: Json;
  [key: string]: unknown;
}

/** An assistant as the API shows it: a graph together with a configuration. */
export interface Assistant {
  assistant_id: string;
  graph_id: string;
  version: number;
  name: string;
  description: string | null;
  config: AssistantConfig;
  context: Json;
  metadata: Json;
  created_at: Date;
  updated_at: Date;
}

export type AssistantVersion = Omit<Assistant, "updated_at">;

export interface NewAssistant {
  assistant_id?: string;
  graph_id: string;
  name?: string;
  description?: string | null;
  config?: AssistantConfig;
  context?: Json;
  metadata?: Json;
}

export type AssistantPatch = Partial<Omit<NewAssistant, "assistant_id">>;

export interface AssistantFilter {
  graph_id?: string;
  name?: string;
  metadata?: Json;
}

export interface AssistantSearch extends AssistantFilter {
  /** The size limit of a page of assistants, in bytes. */
  bytes?: number;
  limit: number;
  offset: number;
  sort_by?: "assistant_id" | "graph_id" | "name" | "created_at" | "updated_at";
  sort_order?: "asc" | "desc";
}

const columns = sql`assistant_id, graph_id, version, name, description, config, context, metadata, created_at, updated_at`;

/** Returns the id of an assistant. If `id` is a graph's id, returns the id of the graph's default assistant. */
export const toAssistantId = (id: string): string => (isId(id) ? id : systemAssistantId(id));

export async function getAssistant(db: Db, scope: Scope, id: string): Promise<Assistant> {
  const assistant = await findAssistant(db, scope, id);
  if (!assistant) throw assistantNotFound();
  return assistant;
}

/** An assistant, as it is read to create a run of it. */
export type AssistantToRun = Assistant & {
  /** True if one of the queue's limits sets a daily budget of tokens or dollars for the assistant's graph. */
  isBudgeted: boolean;
};

const columnsToRun = sql`${columns}, ${hasBudget(sql`graph_id`)} as "isBudgeted"`;

/**
 * Returns the assistants for new runs, in the order of `ids`. The result is undefined at the place of an id without an assistant. Does not
 * check access, because the caller has already checked it.
 */
export async function findAssistantsToRun(db: Db, ids: string[]): Promise<(AssistantToRun | undefined)[]> {
  const wanted = ids.map(toAssistantId);
  const { rows } = await db.query<AssistantToRun>(
    prepared("find assistants", sql`select ${columnsToRun} from assistants where assistant_id = any(${wanted}::uuid[])`),
  );
  const found = new Map(rows.map((assistant) => [assistant.assistant_id, assistant]));
  return wanted.map((id) => found.get(id.toLowerCase()));
}

/**
 * Returns the assistant for a new run, by the assistant's id or a graph's id. Returns undefined if the scope includes no such assistant.
 */
export async function findAssistantToRun(db: Db, scope: Scope, id: string): Promise<AssistantToRun | undefined> {
  const { rows } = await db.query<AssistantToRun>(sql`
    select ${columnsToRun} from assistants where assistant_id = ${toAssistantId(id)} and ${scope.visible(sql`metadata`)}`);
  return rows[0];
}

export async function findAssistant(db: Db, scope: Scope, id: string): Promise<Assistant | undefined> {
  const { rows } = await db.query<Assistant>(sql`
    select ${columns} from assistants where assistant_id = ${toAssistantId(id)} and ${scope.visible(sql`metadata`)}`);
  return rows[0];
}

/** Returns up to two assistants with exactly this name. Two results show that the name is ambiguous. */
export async function findAssistantsByName(db: Db, scope: Scope, name: string): Promise<Assistant[]> {
  const { rows } = await db.query<Assistant>(sql`
    select ${columns} from assistants where name = ${name} and ${scope.visible(sql`metadata`)} order by assistant_id limit 2`);
  return rows;
}

/**
 * Returns the total size of these assistants' configs in bytes. Each run of a batch copies its assistant's config, so this size limits how
 * much memory the batch needs.
 */
export async function bytesOfAssistants(db: Db, ids: string[]): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>(sql`
    select coalesce(sum(octet_length(config::text) + octet_length(context::text) + octet_length(metadata::text)), 0)::double precision as bytes
      from unnest(${ids.map(toAssistantId)}::uuid[]) as wanted (assistant_id) join assistants using (assistant_id)`);
  return rows[0]?.bytes ?? 0;
}

/** Locks an assistant's row, so that nobody can delete the assistant until the transaction ends. */
export async function holdAssistant(tx: Db, assistantId: string): Promise<void> {
  await tx.query(sql`select 1 from assistants where assistant_id = ${assistantId} for key share`);
}

/** Creates an assistant and its first version. Returns undefined if the assistant's id is taken. */
export async function createAssistant(db: Db, wanted: NewAssistant & { assistant_id: string }): Promise<Assistant | undefined> {
  const { rows } = await db.query<Assistant>(sql`
    with created as (
      insert into assistants (assistant_id, graph_id, name, description, config, context, metadata)
      values (${wanted.assistant_id}, ${wanted.graph_id}, ${wanted.name ?? "Untitled"}, ${wanted.description ?? null},
              ${sealableJson("assistants.config", wanted.config ?? {})}, ${sealableJson("assistants.context", wanted.context ?? {})},
              ${sealableJson("assistants.metadata", wanted.metadata ?? {})})
          on conflict do nothing
      returning ${columns}),
    versioned as (${insertVersion(sql`created`)})
    select ${columns} from created`);
  return rows[0];
}

/**
 * Changes an assistant by adding a version. The metadata of `patch` is merged into the assistant's metadata. Every other field of `patch`
 * replaces the field of the assistant.
 */
export async function updateAssistant(db: Db, scope: Scope, id: string, patch: AssistantPatch): Promise<Assistant> {
  const current = await getAssistant(db, scope, id);
  const next = { ...current, ...withoutUndefined(patch), metadata: { ...current.metadata, ...patch.metadata } };
  const { rows } = await db.query<Assistant>(sql`
    with numbered as (
      select max(version) + 1 as version from assistant_versions where assistant_id = ${current.assistant_id}),
    changed as (
      update assistants
         set graph_id = ${next.graph_id}, name = ${next.name}, description = ${next.description}, version = numbered.version,
             config = ${sealableJson("assistants.config", next.config)}, context = ${sealableJson("assistants.context", next.context)},
             metadata = ${sealableJson("assistants.metadata", next.metadata)}, updated_at = now()
        from numbered
       where assistant_id = ${current.assistant_id} and assistants.version = ${current.version}
      returning ${sql`assistant_id, graph_id, assistants.version, name, description, config, context, metadata, created_at, updated_at`}),
    versioned as (${insertVersion(sql`changed`)})
    select ${columns} from changed`);
  if (!rows[0]) throw new ServiceError("conflict", "The assistant was changed by another request at the same moment. Try again.");
  return rows[0];
}

function insertVersion(source: Sql): Sql {
  return sql`
    insert into assistant_versions (assistant_id, version, graph_id, name, description, config, context, metadata)
    select assistant_id, version, graph_id, name, description, config, context, metadata from ${source}`;
}

/** Makes an earlier version of an assistant its current version. */
export async function setLatestVersion(db: Db, scope: Scope, id: string, version: number): Promise<Assistant> {
  await getAssistant(db, scope, id);
  const { rows } = await db.query<Assistant>(sql`
    update assistants a
       set version = v.version, graph_id = v.graph_id, name = v.name, description = v.description,
           config = v.config, context = v.context, metadata = v.metadata, updated_at = now()
      from assistant_versions v
     where a.assistant_id = ${toAssistantId(id)} and v.assistant_id = a.assistant_id and v.version = ${version}
       and ${scope.visible(sql`a.metadata`)} and ${scope.visible(sql`v.metadata`)}
    returning a.assistant_id, a.graph_id, a.version, a.name, a.description, a.config, a.context, a.metadata, a.created_at, a.updated_at`);
  if (!rows[0]) throw new ServiceError("not_found", "Assistant version not found");
  return rows[0];
}

export async function listVersions(
  db: Db,
  scope: Scope,
  id: string,
  { metadata, limit, offset }: { metadata?: Json; limit: number; offset: number },
): Promise<AssistantVersion[]> {
  await getAssistant(db, scope, id);
  const { rows } = await db.query<AssistantVersion>(sql`
    select assistant_id, graph_id, version, name, description, config, context, metadata, created_at
      from assistant_versions
     where assistant_id = ${toAssistantId(id)} and ${containing(sql`metadata`, metadata)} and ${scope.visible(sql`metadata`)}
     order by version desc limit ${limit} offset ${offset}`);
  return rows;
}

/** Deletes an assistant with its versions and runs. */
export async function deleteAssistant(db: Db, scope: Scope, id: string): Promise<void> {
  const { rowCount } = await db.query(sql`
    delete from assistants where assistant_id = ${toAssistantId(id)} and ${scope.visible(sql`metadata`)}`);
  if (rowCount === 0) throw assistantNotFound();
}

export async function searchAssistants(db: Db, scope: Scope, search: AssistantSearch): Promise<Page<Assistant>> {
  return paged<Assistant>(
    db,
    sql`select ${columns} from assistants where ${matching(scope, search)}`,
    search,
    {
      assistant_id: sql`assistant_id`,
      graph_id: sql`graph_id`,
      name: sql`name`,
      created_at: sql`created_at`,
      updated_at: sql`updated_at`,
    },
    [lengthOf(sql`config`), lengthOf(sql`context`), lengthOf(sql`metadata`)],
  );
}

export async function countAssistants(db: Db, scope: Scope, filter: AssistantFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`
    select count(*)::integer as count from assistants where ${matching(scope, filter)}`);
  return rows[0]?.count ?? 0;
}

function matching(scope: Scope, { graph_id, name, metadata }: AssistantFilter): Sql {
  return sql`${scope.visible(sql`metadata`)}
    ${graph_id === undefined ? nothing : sql`and graph_id = ${graph_id}`}
    ${name === undefined ? nothing : sql`and position(lower(${name}) in lower(name)) > 0`}
    and ${containing(sql`metadata`, metadata)}`;
}

export interface SystemAssistant {
  /** The name of the preset, for an assistant from one of the project's files. Undefined for the default assistant of a graph. */
  preset?: string;
  /** An example input for the assistant. */
  example?: Json;
  graph_id: string;
  name: string;
  description: string | undefined;
  config: AssistantConfig;
  context: Json;
}

/**
 * Creates the default assistant of each graph and the assistants of the project's files, unless they exist. If a file has changed, its
 * assistant gets a new version. Several processes may call this function at the same time.
 */
export async function ensureSystemAssistants(db: Db, assistants: SystemAssistant[]): Promise<void> {
  for (const { preset, example, graph_id, name, description, config, context } of assistants) {
    const id = systemAssistantId(preset ?? graph_id);
    const content = { graph_id, name, description: description ?? null, config, context };
    const source = preset === undefined ? {} : { preset, example, content: hashOf({ ...content, example }) };
    const metadata = { created_by: "system", ...source };
    const created = await createAssistant(db, { assistant_id: id, ...content, metadata });
    if (created || preset === undefined) continue;
    const { metadata: stored } = await getAssistant(db, everything, id);
    if (stored.content !== source.content) await updateAssistant(db, everything, id, { ...content, metadata }).catch(ignoreConflict);
  }
}

const hashOf = (content: object) => createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);

/**
 * Ignores the error that occurs if another process has updated the assistant at the same moment. Both processes read the same file, so the
 * update is the same.
 */
function ignoreConflict(error: unknown): void {
  if (!(error instanceof ServiceError)) throw error;
}

function withoutUndefined<T extends object>(patch: T): Partial<T> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<T>;
}
