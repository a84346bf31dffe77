/** The picture of a graph that sends progress events of its own form. */
export interface Picture {
  /** Tells whether the picture shows the run. Single steps are not shown then. */
  readonly begun: boolean;
  /** Shows an event. Returns false for an event of another form. */
  take(data: unknown): boolean;
  /** Leaves the picture as it is, so that later output appears below it. */
  leave(): void;
}
