import { type LimitValues, WrittenLimit } from "../runs/limit-values.ts";
import { type Limit, listLimits, overrideLimit, resetLimit } from "../runs/limits.ts";
import { clean } from "./terminal/clean.ts";
import { withDatabase } from "./with-database.ts";

const usage = `Use one of these:
  limits                                   list the limits
  limits set react total=25 rate=100/m     set values (graphs, total, per_key, rate, max_waiting,
                                           daily_tokens, daily_dollars, shadow)
  limits pause react                       let no run start
  limits reset react                       use the values of langgraph.json again`;

/** Lists the limits of the queue, or changes one of them. Workers obey a change within a second. */
export async function limits([action, name, ...values]: string[]): Promise<void> {
  if (action === undefined) return list();
  if (name === undefined) throw new Error(`"limits ${action}" needs the name of a limit. ${usage}`);
  if (action === "set") return set(name, valuesIn(values));
  if (action === "pause") return set(name, { total: 0 });
  if (action === "reset") return reset(name);
  throw new Error(`"limits" does not know "${action}". ${usage}`);
}

async function list(): Promise<void> {
  const found = await withDatabase((pool) => listLimits(pool));
  if (found.length === 0) console.log('There are no limits. Set one in langgraph.json, or with "limits set".');
  for (const limit of found) console.log(clean(lineOf(limit)));
}

function lineOf(limit: Limit): string {
  const { name, graphs, total, per_key, rate, max_waiting, daily_tokens, daily_dollars, shadow, running, waiting, override } = limit;
  const values = { total, per_key, rate, max_waiting, daily_tokens, daily_dollars };
  const given = Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]));
  const marks = [...(shadow ? ["shadow"] : []), ...(override ? ["set at run time"] : [])];
  const ofGraphs = graphs.length === 1 && graphs[0] === name ? [] : [`graphs=${graphs.join(",")}`];
  return [name, ...ofGraphs, ...given, `${running} running`, `${waiting} waiting`, ...marks].join("  ");
}

function valuesIn(words: string[]): LimitValues {
  const pairs = words.map((word) => {
    const [, key = "", text = ""] = /^(\w+)=(.*)$/.exec(word) ?? [];
    if (key === "") throw new Error(`"${word}" is not a value. ${usage}`);
    return [key, readValue(key, text)];
  });
  if (pairs.length === 0) throw new Error(`"limits set" needs a value. ${usage}`);
  const { data, error } = WrittenLimit.safeParse(Object.fromEntries(pairs));
  if (error) throw new Error(`${error.issues.map(({ path, message }) => [...path, message].join(": ")).join(". ")}. ${usage}`);
  return data;
}

function readValue(key: string, text: string): unknown {
  if (key === "graphs") return text.split(",");
  if (key === "rate") return text;
  return key === "shadow" ? text === "true" : Number(text);
}

async function set(name: string, values: LimitValues): Promise<void> {
  await withDatabase((pool) => overrideLimit(pool, name, values, { keepOthers: true }));
  const [limit] = await withDatabase((pool) => listLimits(pool, name));
  if (limit) console.log(clean(lineOf(limit)));
}

async function reset(name: string): Promise<void> {
  await withDatabase((pool) => resetLimit(pool, name));
  const [left] = await withDatabase((pool) => listLimits(pool, name));
  console.log(left ? clean(lineOf(left)) : `The limit "${name}" is gone, because langgraph.json does not have it.`);
}
