import { createContext, type Dispatch, type SetStateAction, use, useState } from "react";

/** The typed texts that are not sent yet, by the name of the form. A page provides them, so that they survive while another form is shown. */
export const DraftsContext = createContext<Map<string, unknown> | undefined>(undefined);

/** Works as useState. With a name, the state is kept among the drafts of the page. */
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
