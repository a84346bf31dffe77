import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** The steps of a wave of which only some need to succeed. */
export interface Race {
  /** Tells the waves of a run apart. */
  wave: number;
  /** How many successes are missing. */
  missing: number;
}

/**
 * The races of each run, by an object that LangGraph keeps for one execution of the run. They are not stored. After a crash, the steps that
 * had not ended run again, and race again.
 */
const races = new WeakMap<object, Map<number, { missing: number; end: AbortController }>>();

function find({ wave, missing }: Race, { control }: LangGraphRunnableConfig) {
  const key = control ?? {};
  const ofRun = races.get(key) ?? new Map();
  const race = ofRun.get(wave) ?? { missing, end: new AbortController() };
  races.set(key, ofRun.set(wave, race));
  return race;
}

/** Returns the signal that aborts the steps of a race once enough of them have succeeded. */
export const raceOf = (race: Race, config: LangGraphRunnableConfig): AbortSignal => find(race, config).end.signal;

/** Counts a success. If enough steps have succeeded, the others are aborted. */
export function leaveRace(race: Race, config: LangGraphRunnableConfig): void {
  const found = find(race, config);
  found.missing--;
  if (found.missing <= 0) found.end.abort();
}
