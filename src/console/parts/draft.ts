import { createContext, type Dispatch, type SetStateAction, use, useState } from "react";

/**
 * The texts that the user has entered but not sent, by the name of their form. A page provides this map, so that the texts are kept while
 * the page shows another form.
 */
export const DraftsContext = createContext<Map<string, unknown> | undefined>(undefined);

/** Works like `useState`. With a name, the state is stored in the page's map of drafts. */
export function useDraft<State>(name: string | undefined, initial: () => State): [State, Dispatch<SetStateAction<State>>] {
  const drafts = use(DraftsContext);
  const [state, setState] = useState<State>(() => (name !== undefined && drafts?.has(name) ? (drafts.get(name) as State) : initial()));
  const set: Dispatch<SetStateAction<State>> = (next) =>
    setState((old) => {
      const made = typeof next === "function" ? (next as (old: State) => State)(old) : next;
      if (name !== undefined) drafts?.set(name, made);
      return made;
    });
  return [state, set];
}
