import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** A race between the steps of a wave. When enough of the steps have succeeded, the remaining steps are aborted. */
export interface Race {
  /** The number of steps that had succeeded before the wave. This number identifies the race within the run. */
  wave: number;
  /** The number of steps of the wave that must still succeed. */
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
