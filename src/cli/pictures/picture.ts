/** A live display of a graph's progress. It supports graphs whose progress events have a known form. */
export interface Picture {
  /** True if the display has begun to show the run. The terminal then does not list the single steps. */
  readonly begun: boolean;
  /** Shows an event, and returns true. Returns false for an event of a form that this display does not know. */
  take(data: unknown): boolean;
  /** Leaves the display on the screen in its present state. Later output appears below it. */
  leave(): void;
}
