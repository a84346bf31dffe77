import type { WriteRow } from "../checkpoints/rows.ts";
import type { LetterBox, OwnedItem, ReportedItem } from "../letters/report.ts";
import type { Claim } from "../runs/claim.ts";

/** Holds the failed items that the nodes of an attempt have reported. An item is stored together with the writes of its node. */
export class LetterBuffer implements LetterBox {
  readonly #claim: Claim;
  readonly #waiting = new Map<string, OwnedItem[]>();
  #kwargs: string | undefined;

  constructor(claim: Claim) {
    this.#claim = claim;
  }

  report(taskId: string, item: ReportedItem): void {
    const before = this.#waiting.get(taskId) ?? [];
    const others = before.filter((one) => one.kind !== item.kind || one.item !== item.item);
    this.#waiting.set(taskId, [...others, { ...item, runId: this.#claim.runId, kwargs: this.#request() }]);
  }

  /** Calls `store` with the items that the tasks of these writes have reported. Keeps the items until `store` has succeeded. */
  async storedWith<Stored>(writes: WriteRow[], store: (items: OwnedItem[]) => Promise<Stored>): Promise<Stored> {
    if (this.#waiting.size === 0) return store([]);
    const taskIds = [...new Set(writes.map(({ taskId }) => taskId))];
    const stored = await store(taskIds.flatMap((taskId) => this.#waiting.get(taskId) ?? []));
    for (const taskId of taskIds) this.#waiting.delete(taskId);
    return stored;
  }

  /** Returns the items that are not stored yet, for example because the run stores nothing before its end. */
  left(): OwnedItem[] {
    return [...this.#waiting.values()].flat();
  }

  /** Returns the run's request as JSON, without its input, because each item has its own input. */
  #request(): string {
    this.#kwargs ??= JSON.stringify({ ...this.#claim.kwargs, input: null, command: null });
    return this.#kwargs;
  }
}
