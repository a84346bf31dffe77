/** A picture that shows a graph's progress, for graphs that send progress events of a special form. */
export interface Picture {
  /** True if the picture shows the run. Single steps are not listed then. */
  readonly begun: boolean;
  /** Shows an event. Returns false if the event has another form. */
  take(data: unknown): boolean;
  /** Leaves the picture as it is. Later output appears below it. */
  leave(): void;
}
