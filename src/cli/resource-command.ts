import { existsSync } from "node:fs";
import type { Pool } from "pg";
import { projectFile } from "../config.ts";
import { readProject } from "../registry/project.ts";
import { unknownSentence } from "../resources/impossible.ts";
import { mostUnits, ResourceLimit, toColumns } from "../resources/limit.ts";
import { deleteResource, findResource, type ListedResource, listResources, type ResourceHolder, setLimit } from "../resources/resources.ts";
import { clean } from "./terminal/clean.ts";
import { withDatabase } from "./with-database.ts";

/** Lists the resources that runs share, or changes the limit of one resource. */
export async function resources([action, name, limit]: string[]): Promise<void> {
  if (action === undefined) return withDatabase(list);
  if (action === "set" && name !== undefined && limit !== undefined) return withDatabase((pool) => set(pool, name, limit));
  if (action === "reset" && name !== undefined && limit === undefined) return withDatabase((pool) => reset(pool, name));
  throw new Error('"resources" lists the resources. To change one, use `resources set <name> <limit>` or `resources reset <name>`.');
}

async function list(pool: Pool): Promise<void> {
  const all = await listResources(pool);
  if (all.length === 0) console.log("There are no resources. Add them to ensemble.resources in langgraph.json.");
  for (const resource of all) {
    console.log(clean(lineOf(resource)));
    for (const holder of resource.holders) console.log(holderLine(holder));
  }
}

const holderLine = ({ thread_id, run_id, state, amount, seconds }: ResourceHolder) =>
  `  run ${run_id} of thread ${thread_id} ${state === "held" ? "holds" : "waits for"} ${amount}, for ${seconds.toFixed(0)} s`;

function lineOf({ name, limit, overridden, held, free, waiting, contention }: ListedResource): string {
  const limitText = limit.rate ?? `pool of ${limit.pool}`;
  return `${name}  ${limitText}${overridden ? " (set by an operator)" : ""}  ${held} held  ${free} free  ${waiting} waiting  ${contention} had to wait`;
}

/** Sets the limit of a resource. `text` is the size of a pool, such as "10", or a rate, such as "1000/m". */
async function set(pool: Pool, name: string, text: string): Promise<void> {
  const isPool = /^-?[\d.]+$/.test(text);
  const { data: limit, error } = ResourceLimit.safeParse(isPool ? { pool: Number(text) } : { rate: text });
  const rule = isPool ? `the size of a pool is a whole number from 1 to ${mostUnits}` : `a rate ${error?.issues[0]?.message}`;
  if (!limit) throw new Error(`"${text}" is not a limit: ${rule}.`);
  const { kind } = await found(pool, name);
  if (toColumns(limit).kind !== kind)
    throw new Error(`"${name}" is a ${kind}, so ${kind === "pool" ? "give a number" : 'give a rate such as "1000/m"'}.`);
  await setLimit(pool, name, limit);
  console.log(clean(lineOf(await found(pool, name))));
}

/** Restores the limit that langgraph.json gives to the resource. Deletes the resource if langgraph.json does not name it. */
async function reset(pool: Pool, name: string): Promise<void> {
  await found(pool, name);
  const file = projectFile();
  const limits = existsSync(file) ? (await readProject(file)).resources : {};
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
  if (limit) {
    await setLimit(pool, name, limit, false);
    console.log(clean(lineOf(await found(pool, name))));
  } else if (await deleteResource(pool, name)) console.log(clean(`Deleted ${name}, because langgraph.json does not have it.`));
  else throw new Error(`Runs hold "${name}" or wait for it, and langgraph.json does not have it. Try again when they have ended.`);
}

async function found(pool: Pool, name: string): Promise<ListedResource> {
  const resource = await findResource(pool, name);
  if (resource) return resource;
  throw new Error(
    unknownSentence(
      name,
      (await listResources(pool)).map((one) => one.name),
    ),
  );
}
