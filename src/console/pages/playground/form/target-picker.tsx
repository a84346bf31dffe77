import { type KeyboardEvent, useId, useRef, useState } from "react";
import { Icon } from "../../../parts/icons.tsx";
import { Tag } from "../../../parts/status.tsx";
import { type Assistant, groupsOf, isGraph } from "../targets.ts";

interface Props {
  assistants: Assistant[];
  target: Assistant;
  choose: (to: Assistant) => void;
}

/** A button that opens a searchable list, from which a person chooses a graph or an assistant. */
export function TargetPicker({ assistants, target, choose }: Props) {
  const [isOpen, setOpen] = useState(false);
  const label = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    trigger.current?.focus();
  };
  return (
    <div
      role="group"
      aria-labelledby={label}
      className="relative"
      onKeyDown={(event) => event.key === "Escape" && isOpen && close()}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) setOpen(false);
      }}
    >
      <span id={label} className="mb-1 block text-sm font-medium">
        Graph or assistant
      </span>
      <button
        ref={trigger}
        type="button"
        aria-labelledby={`${label} ${label}-value`}
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex w-full items-center gap-2 rounded-md border border-line bg-surface px-2.5 py-1.5 text-left hover:border-line-strong"
      >
        <span id={`${label}-value`} className="min-w-0 flex-1">
          <Name assistant={target} />
        </span>
        <Icon name="chevron" className="size-3.5 rotate-90 text-muted" />
      </button>
      {isOpen && (
        <div className="absolute inset-x-0 z-40 mt-1 rounded-lg border border-line bg-surface [box-shadow:var(--shadow)]">
          <Choices
            {...{ assistants, target }}
            choose={(to) => {
              close();
              choose(to);
            }}
          />
        </div>
      )}
      {target.description && <p className="mt-1.5 text-sm text-muted">{target.description}</p>}
    </div>
  );
}

function Name({ assistant }: { assistant: Assistant }) {
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span className="truncate font-medium">{assistant.name}</span>
      {!(isGraph(assistant) && assistant.name === assistant.graph_id) && <Tag>{assistant.graph_id}</Tag>}
    </span>
  );
}

/** The list below the search. The search keeps the focus, and the arrow keys move through the list. */
function Choices({ assistants, target, choose }: Props) {
  const [search, setSearch] = useState("");
  const groups = groupsOf(assistants, search);
  const all = groups.flatMap((group) => group.assistants);
  const [marked, mark] = useState(() => Math.max(0, all.indexOf(target)));
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const move = (to: number) => {
    mark(to);
    list.current?.querySelector(`[data-place="${to}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Partial<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step) move((marked + step + all.length) % Math.max(1, all.length));
    else if (event.key === "Enter" && all[marked]) choose(all[marked]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        type="text"
        role="combobox"
        aria-label="Search graphs and assistants"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={all[marked] ? `${id}-${marked}` : undefined}
        placeholder="Search …"
        autoComplete="off"
        spellCheck={false}
        // biome-ignore lint/a11y/noAutofocus: the list has opened because one wants to search it
        autoFocus
        value={search}
        onChange={({ target: { value } }) => {
          setSearch(value);
          mark(0);
        }}
        onKeyDown={onKeyDown}
        className="h-9 w-full rounded-t-lg border-b border-line bg-transparent px-3 outline-none placeholder:text-muted"
      />
      <div ref={list} id={id} role="listbox" aria-label="Graphs and assistants" className="max-h-80 overflow-y-auto py-1">
        {groups.map(({ title, assistants: members }) => (
          <div key={title} role="group" aria-label={title}>
            <p className="px-3 pt-2 pb-1 text-xs font-medium text-muted">{title}</p>
            {members.map((assistant) => (
              <Choice
                key={assistant.assistant_id}
                id={`${id}-${all.indexOf(assistant)}`}
                place={all.indexOf(assistant)}
                assistant={assistant}
                isMarked={all[marked] === assistant}
                isChosen={assistant.assistant_id === target.assistant_id}
                choose={() => choose(assistant)}
              />
            ))}
          </div>
        ))}
      </div>
      {all.length === 0 && <p className="px-3 pb-3 text-sm text-muted">Nothing has these words in its name or description.</p>}
    </>
  );
}

interface ChoiceProps {
  id: string;
  place: number;
  assistant: Assistant;
  isMarked: boolean;
  isChosen: boolean;
  choose: () => void;
}

function Choice({ id, place, assistant, isMarked, isChosen, choose }: ChoiceProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search above handles the keys
    <div
      id={id}
      data-place={place}
      role="option"
      aria-selected={isChosen}
      onMouseDown={(event) => event.preventDefault()} // a click on an entry must not move the focus away from the search
      onClick={choose}
      className={`flex cursor-pointer items-start gap-2 px-3 py-1.5 hover:bg-sunken ${isMarked ? "bg-sunken" : ""}`}
    >
      <span className="min-w-0 flex-1">
        <Name assistant={assistant} />
        {assistant.description && <span className="line-clamp-2 text-xs text-muted">{assistant.description}</span>}
      </span>
      {isChosen && <Icon name="check" className="mt-0.5 size-3.5 text-accent" />}
    </div>
  );
}
