import { lengthOf, readBounded } from "../db/bounded.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { Assistant } from "./assistants.ts";

/** An assistant as an MCP tool, with the name of the tool. */
export interface ToolAssistant extends Pick<Assistant, "assistant_id" | "graph_id" | "name" | "description" | "metadata"> {
  /** The name of the tool. It is unique among the assistants that a caller may see. */
  tool: string;
}

/** The last tool of a page. The next page begins after it. */
export interface ToolCursor {
  tool: string;
  id: string;
}

/**
 * Tells whether an assistant comes from the project: from a graph or from an assistant file. Only the ids of these assistants are UUIDs of
 * version 5.
 */
const isOfProject = sql`substr(assistant_id::text, 15, 1) = '5'`;

/**
 * Converts an assistant's name to a valid tool name of at most 64 characters, which all model providers accept. An assistant without a
 * usable name gets the id of its graph as its tool name.
 */
const plainName = sql`
  left(regexp_replace(case when name ~ '[A-Za-z0-9]' and name <> 'Untitled' then name else graph_id end, '[^A-Za-z0-9_.-]+', '_', 'g'), 64)`;
const suffixedName = sql`left(plain, 51) || '-' || right(replace(assistant_id::text, '-', ''), 12)`;

/**
 * Selects assistants with their tool names. If several assistants have the same plain name, only the first one keeps it. The others get a
 * part of their id as a suffix. The order begins with the assistants of the project. Older assistants come before newer ones.
 */
const named = (visible: Sql): Sql => sql`
  select assistant_id, graph_id, name, description, metadata, suffixed, case when place = 1 then plain else suffixed end as tool
    from (select *, ${suffixedName} as suffixed,
                 row_number() over (partition by plain order by ${isOfProject} desc, created_at, assistant_id) as place
            from (select *, ${plainName} as plain from assistants where ${visible}) visible) placed`;

const columns = sql`assistant_id, graph_id, name, description, metadata, tool`;

/** Returns a page of the assistants that the scope includes, in the order of their tool names. */
export async function listToolAssistants(
  db: Db,
  scope: Scope,
  { after, limit, bytes }: { after: ToolCursor | undefined; limit: number; bytes: number },
): Promise<{ tools: ToolAssistant[]; more: boolean }> {
  const rest = after ? sql`where (tool collate "C", assistant_id) > (${after.tool}, ${after.id}::uuid)` : nothing;
  const query = sql`
    select ${columns} from (${named(scope.visible(sql`metadata`))}) named ${rest}
     order by tool collate "C", assistant_id limit ${limit + 1}`;
  const { rows, isCut } = await readBounded<ToolAssistant>(db, query, [lengthOf(sql`metadata`), lengthOf(sql`description`)], bytes);
  return { tools: rows.slice(0, limit), more: isCut || rows.length > limit };
}

/**
 * Returns the assistant with this tool name, or undefined. A name with the id suffix is always accepted. The assistant's tool name may have
 * lost the suffix since, because the assistant with the plain name was deleted.
 */
export async function findToolAssistant(db: Db, scope: Scope, tool: string): Promise<ToolAssistant | undefined> {
  return find(db, scope.visible(sql`metadata`), tool);
}

/** Returns the assistant of the project with this tool name, or undefined. Everyone who may create runs may use these assistants. */
export async function findProjectTool(db: Db, tool: string): Promise<ToolAssistant | undefined> {
  return find(db, isOfProject, tool);
}

async function find(db: Db, visible: Sql, tool: string): Promise<ToolAssistant | undefined> {
  const { rows } = await db.query<ToolAssistant>(sql`
    select ${columns} from (${named(visible)}) named where tool = ${tool} or suffixed = ${tool} order by tool = ${tool} desc limit 1`);
  return rows[0];
}
