import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** The steps of a wave, if only some of them need to succeed. */
export interface Race {
  /** The number of the wave. It distinguishes the races of a run. */
  wave: number;
  /** The number of successes that are still missing. */
  missing: number;
}

/**
 * The races of each run. The key is an object that LangGraph keeps for one execution of the run. Races are not stored: after a crash, the
 * unfinished steps run again and a new race begins.
 */
const races = new WeakMap<object, Map<number, { missing: number; end: AbortController }>>();

function find({ wave, missing }: Race, { control }: LangGraphRunnableConfig) {
  const key = control ?? {};
  const ofRun = races.get(key) ?? new Map();
  const race = ofRun.get(wave) ?? { missing, end: new AbortController() };
  races.set(key, ofRun.set(wave, race));
  return race;
}

/** Returns a signal that aborts the steps of a race once enough of them have succeeded. */
export const raceOf = (race: Race, config: LangGraphRunnableConfig): AbortSignal => find(race, config).end.signal;

/** Counts a success. If enough steps have succeeded, aborts the remaining ones. */
export function leaveRace(race: Race, config: LangGraphRunnableConfig): void {
  const found = find(race, config);
  found.missing--;
  if (found.missing <= 0) found.end.abort();
}
