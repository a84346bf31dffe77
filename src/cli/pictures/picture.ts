/** A live display of a graph's progress. It supports graphs whose progress events have a known form. */
export interface Picture {
  /** True if the display has begun to show the run. The individual steps are then not listed. */
  readonly begun: boolean;
  /** Shows an event. Returns false if the event has a form that this display does not know. */
  take(data: unknown): boolean;
  /** Keeps the display as it is now. Later output appears below it. */
  leave(): void;
}
