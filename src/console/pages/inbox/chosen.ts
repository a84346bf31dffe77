import { useEffect, useRef } from "react";
import { isBeingSent, keyOf, mustWait, type OpenQuestion } from "../../parts/questions/open-questions.ts";
import type { Pages } from "../../parts/use-pages.ts";
import type { Filters } from "./filters.ts";

interface Props {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  found: Pages<OpenQuestion>;
}

interface Chosen {
  question: OpenQuestion | undefined;
  /** The index of the question in the list, or -1 if it has left the list. */
  index: number;
  /** Whether the question is still in the list. */
  isOpen: boolean;
  choose: (question: OpenQuestion) => void;
  /** Chooses the question that is `by` rows below the current one. A negative number chooses a question above it. */
  step: (by: number) => void;
  /** Chooses the question below the current one, or else the one above it. Called just before the current question is answered. */
  leave: () => void;
}

/**
 * Remembers the chosen question. The question stays chosen when the list is read again. A question that has left the list is still shown,
 * so that no typed text is lost. If nothing is chosen, the first question is shown.
 */
export function useChosen({ filters, change, found }: Props): Chosen {
  const kept = useRef<{ question: OpenQuestion; index: number }>(undefined);
  const places = Array.from({ length: Math.min(found.total, 1_000) }, (_, place) => place);
  const keyAt = (place: number) => {
    const row = found.at(place);
    return row && keyOf(row);
  };
  const index = filters.q === "" ? 0 : places.findIndex((place) => keyAt(place) === filters.q);
  const listed = index >= 0 && index < found.total ? found.at(index) : undefined;
  if (listed) kept.current = { question: listed, index };
  const remembered = kept.current && (filters.q === "" || keyOf(kept.current.question) === filters.q) ? kept.current : undefined;
  const question = listed ?? (filters.q === "" ? undefined : remembered?.question);
  const formerIndex = remembered?.index ?? 0; // when the question has left the list, the next question takes its index
  const choose = (chosen: OpenQuestion) => change({ q: keyOf(chosen) });
  const step = (by: number) => {
    if (found.total === 0) return question && mustWait(question) ? undefined : change({ q: "" });
    const from = listed ? index : formerIndex - (by > 0 ? 1 : 0);
    const to = Math.max(0, Math.min(found.total - 1, from + by));
    const next = found.at(to);
    if (next && keyOf(next) !== filters.q) choose(next);
  };
  const leave = () => {
    const neighbours = listed ? [index + 1, index - 1] : [formerIndex, formerIndex - 1];
    const next = neighbours.map(found.at).find((row) => row && !isBeingSent(row));
    change({ q: next ? keyOf(next) : "" });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a link to a question that is not open any more shows the first one
  useEffect(() => {
    if (filters.q !== "" && !question && found.total > 0) change({ q: "" });
  }, [filters.q, question, found.total]);
  return { question, index, isOpen: listed !== undefined, choose, step, leave };
}
