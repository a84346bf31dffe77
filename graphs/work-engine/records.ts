import { type BaseStore, getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";

const recent = 20;
const worstRate = 0.2;
const worstDrop = 0.1;
const mostLessons = 20;

/** A stage in the store, where people and other runs can follow its progress. */
export const WorkItem = z.object({
  status: z.enum(["pending", "in_progress", "done", "failed"]).describe("State of the stage"),
  skill: z.string().describe("Skill that does the stage"),
  goal: z.string().describe("Goal of the stage"),
  dependsOn: z.array(z.string()).describe("Work items that must be done before"),
  artifacts: z.array(z.unknown()).describe("What the stage made"),
  tests: z.array(z.unknown()).describe("Tests of the stage"),
  findings: z.array(z.string()).describe("Lessons of the stage"),
  events: z.array(z.object({ at: z.string(), event: z.string() })).describe("What happened, in order"),
});

export type WorkItem = z.infer<typeof WorkItem>;

export const itemKey = (name: string, stage: number) => `wf-${name}-stage-${stage}`;
export const itemsOf = (project: string) => ["work-items", project];

/**
 * Changes a work item and adds an event to it. With `fresh`, creates or replaces the item first. Without `fresh`, does nothing if the item
 * does not exist.
 */
export async function changeItem(
  config: LangGraphRunnableConfig,
  { project, key }: { project: string; key: string },
  change: Partial<Omit<WorkItem, "events">>,
  event: string,
  fresh?: WorkItem,
): Promise<void> {
  const store = getStore(config);
  if (!store) return; // without a store, the stages still run, but no items are kept
  const stored = fresh ?? WorkItem.safeParse((await store.get(itemsOf(project), key))?.value).data;
  if (!stored) return;
  const events = [...stored.events, { at: new Date().toISOString(), event }];
  await store.put(itemsOf(project), key, { ...stored, ...change, events });
}

const Lessons = z.object({ lessons: z.array(z.string()) });

/** Returns the lessons of a skill from earlier work, the newest last. */
export async function lessonsOf(config: LangGraphRunnableConfig, skill: string): Promise<string[]> {
  const found = await getStore(config)?.get(["lessons"], skill);
  return Lessons.safeParse(found?.value).data?.lessons ?? [];
}

/** Adds lessons to a skill. Keeps only the newest ones. */
export async function addLessons(config: LangGraphRunnableConfig, skill: string, findings: string[]): Promise<void> {
  if (findings.length === 0) return;
  const known = await lessonsOf(config, skill);
  const lessons = [...known.filter((lesson) => !findings.includes(lesson)), ...findings].slice(-mostLessons);
  await getStore(config)?.put(["lessons"], skill, { lessons });
}

const Health = z.object({ recent: z.array(z.object({ ok: z.boolean(), quality: z.number(), item: z.string() })) });
type Health = z.infer<typeof Health>;

const readHealth = async (store: BaseStore | undefined, skill: string): Promise<Health["recent"]> =>
  Health.safeParse((await store?.get(["health"], skill))?.value).data?.recent ?? [];

const failureRate = (entries: Health["recent"]) => (entries.length === 0 ? 0 : entries.filter(({ ok }) => !ok).length / entries.length);

/** Returns, for each skill, the share of failures among the most recent stages that used the skill. */
export async function failureRates(config: LangGraphRunnableConfig, skills: string[]): Promise<Record<string, number>> {
  const store = getStore(config);
  return Object.fromEntries(await Promise.all(skills.map(async (skill) => [skill, failureRate(await readHealth(store, skill))] as const)));
}

/**
 * Records the outcome of a stage for the health of its skill. Writes a repair ticket if the skill fails too often or its quality has
 * dropped. If a crash repeats the call, the work item is still counted only once.
 */
export async function noteHealth(config: LangGraphRunnableConfig, skill: string, outcome: Health["recent"][number]): Promise<void> {
  const store = getStore(config);
  if (!store) return;
  const known = (await readHealth(store, skill)).filter(({ item }) => item !== outcome.item);
  const entries = [...known, outcome].slice(-recent);
  await store.put(["health"], skill, { recent: entries });
  const rate = failureRate(entries);
  const drop = known.length === 0 ? 0 : meanQuality(known) - meanQuality(entries.slice(-Math.ceil(entries.length / 2)));
  if (rate <= worstRate && drop <= worstDrop) return;
  const reason = rate > worstRate ? `fails in ${Math.round(rate * 100)} % of its stages` : `has lost ${drop.toFixed(2)} of its quality`;
  await store.put(["repair-tickets"], skill, { skill, reason, at: new Date().toISOString() });
}

const meanQuality = (entries: Health["recent"]) => entries.reduce((sum, { quality }) => sum + quality, 0) / entries.length;
