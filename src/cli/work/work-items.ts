import type { Client, Item } from "@langchain/langgraph-sdk";
import { z } from "zod";

const pageSize = 1_000;

/** The schema of a work item as the pattern `work-engine` stores it. */
const Kept = z.object({
  status: z.string(),
  skill: z.string(),
  goal: z.string(),
  dependsOn: z.array(z.string()).default([]),
  artifacts: z.array(z.unknown()).default([]),
  tests: z.array(z.unknown()).default([]),
  findings: z.array(z.string()).default([]),
  events: z.array(z.object({ at: z.string(), event: z.string() })).default([]),
});

export type WorkItem = z.infer<typeof Kept> & { project: string; key: string };

/** Returns the work items of a project, or of all projects, in the order of their names. */
export async function workItems(client: Client, project?: string): Promise<WorkItem[]> {
  const found = await itemsUnder(client, project === undefined ? ["work-items"] : ["work-items", project]);
  const items = found.flatMap(({ namespace, key, value }) => {
    const kept = Kept.safeParse(value).data;
    return kept ? { ...kept, project: namespace[1] ?? "", key } : [];
  });
  return items.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other), "en", { numeric: true }));
}

export const nameOf = ({ project, key }: WorkItem): string => `${project}/${key}`;

const Health = z.object({ recent: z.array(z.object({ ok: z.boolean(), quality: z.number() })) });
const Lessons = z.object({ lessons: z.array(z.string()) });
const Ticket = z.object({ reason: z.string() });

export interface SkillStats {
  skill: string;
  stages: number;
  failures: number;
  /** The mean quality of the skill's last stages, from 0 to 1. Null if no stage is stored. */
  quality: number | null;
  lessons: number;
  repair: string | null;
}

/**
 * Returns the health of each skill: the figures of the last stages that used the skill, the number of its lessons and, if it needs repair,
 * the reason.
 */
export async function skillStats(client: Client): Promise<SkillStats[]> {
  const [health, lessons, tickets] = await Promise.all(
    [["health"], ["lessons"], ["repair-tickets"]].map((namespace) => itemsUnder(client, namespace)),
  );
  return (health ?? [])
    .map(({ key: skill, value }) => {
      const recent = Health.safeParse(value).data?.recent ?? [];
      return {
        skill,
        stages: recent.length,
        failures: recent.filter(({ ok }) => !ok).length,
        quality: recent.length === 0 ? null : recent.reduce((sum, { quality }) => sum + quality, 0) / recent.length,
        lessons: Lessons.safeParse(lessons?.find(({ key }) => key === skill)?.value).data?.lessons.length ?? 0,
        repair: Ticket.safeParse(tickets?.find(({ key }) => key === skill)?.value).data?.reason ?? null,
      };
    })
    .toSorted((one, other) => one.skill.localeCompare(other.skill));
}

async function itemsUnder(client: Client, namespace: string[]): Promise<Item[]> {
  const found: Item[] = [];
  for (;;) {
    const { items } = await client.store.searchItems(namespace, { limit: pageSize, offset: found.length });
    found.push(...items);
    if (items.length < pageSize) return found;
  }
}
