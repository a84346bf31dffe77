/** A period of time, in milliseconds since 1970. */
export interface Period {
  from: number;
  to: number;
}

export const firstOf = (periods: Period[]): number => periods.reduce((first, { from }) => Math.min(first, from), periods[0]?.from ?? 0);
export const lastOf = (periods: Period[]): number => periods.reduce((last, { to }) => Math.max(last, to), periods[0]?.to ?? 0);

/** Returns the time that the periods cover together. Time that several of them cover counts once. */
export function totalOf(periods: Period[]): number {
  let total = 0;
  let covered = Number.NEGATIVE_INFINITY;
  for (const { from, to } of periods.toSorted((one, other) => one.from - other.from)) {
    total += Math.max(0, to - Math.max(from, covered));
    covered = Math.max(covered, to);
  }
  return total;
}

/** Returns the time that a period shares with other periods, which do not overlap each other. */
export const sharedBy = ({ from, to }: Period, others: Period[]): number =>
  others.reduce((sum, other) => sum + Math.max(0, Math.min(to, other.to) - Math.max(from, other.from)), 0);

/**
 * Returns the pauses in which a run waited for a person. A pause ends when a person's answer continues the run. The pause begins when the
 * last work before the answer ended, but not before the end of the previous pause.
 */
export function pausesIn(worked: Period[], resumes: number[]): Period[] {
  const ends = worked.map(({ to }) => to);
  const pauses: Period[] = [];
  for (const to of [...new Set(resumes)].toSorted((one, other) => one - other)) {
    const before = ends.filter((end) => end <= to);
    if (before.length === 0) continue; // no work ended before this answer, so no pause is counted
    const from = Math.max(...before, pauses.at(-1)?.to ?? Number.NEGATIVE_INFINITY);
    pauses.push({ from, to });
  }
  return pauses;
}
