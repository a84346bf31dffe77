import { type KeyboardEvent, useMemo, useRef } from "react";
import { Button } from "../../parts/button.tsx";
import { Tag } from "../../parts/status.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { idOf, parentOf, type State } from "./data.ts";
import { type Place, placesOf } from "./lanes.ts";
import { nodesOf } from "./nodes.ts";

interface Props {
  states: State[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
  /** Loads a page of earlier checkpoints. There is no function if all checkpoints are loaded. */
  more: (() => void) | undefined;
  isLoadingMore: boolean;
}

const rowHeight = 44;
const laneWidth = 14;
/** The maximum number of lanes that are drawn. Further branches share the last lane. */
const mostLanes = 8;

/** The checkpoints of a thread with their branches, the newest first. The arrow keys select the next or the previous checkpoint. */
export function Timeline({ states, chosen, onChoose, more, isLoadingMore }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const places = useMemo(() => placesOf(states), [states]);
  const byId = useMemo(() => new Map(states.map((state) => [idOf(state), state])), [states]);
  const lanes = Math.min(mostLanes, Math.max(1, ...places.map(({ lane }) => lane + 1)));
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(states.length - 1, states.findIndex((state) => idOf(state) === chosen) + by));
    const state = states[to];
    if (!state) return;
    onChoose(idOf(state));
    list.current?.querySelectorAll<HTMLElement>("[data-checkpoint]")[to]?.focus();
  };
  return (
    <div ref={list} role="group" aria-label="Checkpoints" onKeyDown={onKeyDown}>
      <ol>
        {states.map((state, index) => (
          <li key={idOf(state)}>
            <Row
              state={state}
              parent={byId.get(parentOf(state) ?? "")}
              place={places[index]}
              lanes={lanes}
              isChosen={idOf(state) === chosen}
              onChoose={onChoose}
            />
          </li>
        ))}
      </ol>
      {more && (
        <div className="p-3">
          <Button disabled={isLoadingMore} onClick={more}>
            {isLoadingMore ? "Loading …" : "Show earlier checkpoints"}
          </Button>
        </div>
      )}
    </div>
  );
}

interface RowProps extends Pick<Props, "onChoose"> {
  state: State;
  parent: State | undefined;
  place: Place | undefined;
  lanes: number;
  isChosen: boolean;
}

function Row({ state, parent, place, lanes, isChosen, onChoose }: RowProps) {
  const { step } = state.metadata ?? {};
  return (
    <button
      type="button"
      data-checkpoint={idOf(state)}
      aria-current={isChosen}
      tabIndex={isChosen ? 0 : -1}
      onClick={() => onChoose(idOf(state))}
      className={`flex w-full items-center gap-2.5 border-l-2 pr-4 pl-2 text-left focus-visible:-outline-offset-2 ${isChosen ? "border-l-accent bg-accent-soft" : "border-l-transparent hover:bg-sunken"}`}
    >
      {place && <Lanes place={place} lanes={lanes} isChosen={isChosen} />}
      <span className="numbers w-6 shrink-0 text-right text-xs text-muted">{String(step ?? "")}</span>
      <span className="min-w-0 flex-1 truncate">{nodesOf(state, parent)}</span>
      {state.tasks.some(({ error }) => error) && (
        <Tag tone="bad" icon="cross">
          Failed
        </Tag>
      )}
      {state.tasks.some(({ interrupts }) => Array.isArray(interrupts) && interrupts.length > 0) && (
        <Tag tone="warn" icon="pause">
          Asks
        </Tag>
      )}
      {state.created_at && <RelativeTime time={state.created_at} className="text-xs text-muted" />}
    </button>
  );
}

/** Draws the lines of the branches that pass through a row, and the row's checkpoint on its lane. */
function Lanes({ place: { lane, above, below, joins, isFork }, lanes, isChosen }: { place: Place; lanes: number; isChosen: boolean }) {
  const at = (index: number) => Math.min(index, mostLanes - 1) * laneWidth + laneWidth / 2;
  const middle = rowHeight / 2;
  const passing = above.filter((one) => below.includes(one) && one !== lane && !joins.includes(one));
  return (
    <svg
      width={lanes * laneWidth}
      height={rowHeight}
      className="shrink-0 text-line-strong"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      aria-hidden="true"
    >
      {passing.map((one) => (
        <path key={one} d={`M${at(one)} 0V${rowHeight}`} />
      ))}
      {above.includes(lane) && <path d={`M${at(lane)} 0V${middle}`} />}
      {below.includes(lane) && <path d={`M${at(lane)} ${middle}V${rowHeight}`} />}
      {joins.map((one) => (
        <path key={one} d={`M${at(one)} 0C${at(one)} ${middle} ${at(one)} ${middle} ${at(lane)} ${middle}`} />
      ))}
      <circle
        cx={at(lane)}
        cy={middle}
        r={isFork ? 4.5 : 3.5}
        className={isChosen ? "fill-accent stroke-accent" : "fill-page stroke-line-strong"}
      />
    </svg>
  );
}
