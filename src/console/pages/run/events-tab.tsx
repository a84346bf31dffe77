import { useMemo, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Select } from "../../parts/field.tsx";
import { bytes, number, plural } from "../../parts/format.ts";
import { Icon } from "../../parts/icons.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import type { StreamEvent } from "../../parts/sse.ts";
import { Skeleton } from "../../parts/states.tsx";
import { VirtualList } from "../../parts/virtual-list.tsx";
import type { Followed } from "./follow.ts";
import { Nothing } from "./panel.tsx";

/** The maximum number of characters of an event that are parsed and shown at first. */
const mostCharacters = 200_000;

const nameOf = ({ event }: StreamEvent) => event.split("|")[0] ?? event;

/** The events of the run, in the form in which its stream sends them. */
export function EventsTab({ followed, goesOn }: { followed: Followed; goesOn: boolean }) {
  const { events, forgotten, state, refusal } = followed;
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<StreamEvent>();
  const names = useMemo(() => [...Map.groupBy(events, nameOf)].map(([one, all]) => ({ one, amount: all.length })), [events]);
  const shown = useMemo(() => (name === "" ? events : events.filter((event) => nameOf(event) === name)), [events, name]);
  if (state === "refused") return <Nothing>The events cannot be read: {refusal}</Nothing>;
  if (events.length === 0) return <NoEvents state={state} goesOn={goesOn} />;
  return (
    <div className="flex flex-col">
      <div className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2">
        <Select
          label="Event"
          isLabelHidden
          className="w-52"
          value={name}
          onChange={setName}
          options={[
            { value: "", label: `All events (${number(events.length)})` },
            ...names.map(({ one, amount }) => ({ value: one, label: `${one} (${number(amount)})` })),
          ]}
        />
        <Progress state={state} />
        {forgotten > 0 && <span className="text-xs text-muted">{plural(forgotten, "earlier event")} left out</span>}
      </div>
      <div className="flex h-112 min-h-0 max-lg:h-auto max-lg:flex-col">
        <div
          className={`flex min-h-0 min-w-0 flex-1 flex-col max-lg:h-80 max-lg:flex-none ${chosen ? "lg:max-w-md lg:border-r lg:border-line" : ""}`}
        >
          <VirtualList
            label="Events"
            count={shown.length}
            rowHeight={30}
            row={(index) => {
              const event = shown[index];
              return (
                event && (
                  <EventRow event={event} isChosen={event === chosen} onChoose={() => setChosen(event === chosen ? undefined : event)} />
                )
              );
            }}
          />
        </div>
        {chosen && <EventDetails key={chosen.id} event={chosen} onClose={() => setChosen(undefined)} />}
      </div>
    </div>
  );
}

function Progress({ state }: Pick<Followed, "state">) {
  const looks = {
    connecting: { icon: "running", text: "text-muted", label: "Connecting …" },
    live: { icon: "live", text: "text-accent", label: "Live" },
    reconnecting: { icon: "retry", text: "text-warn", label: "The stream broke. Reconnecting …" },
    ended: { icon: "check", text: "text-muted", label: "Complete" },
    refused: { icon: "warning", text: "text-bad", label: "Refused" },
  } as const;
  const { icon, text, label } = looks[state];
  return (
    <span role="status" className={`inline-flex items-center gap-1.5 text-sm ${text}`}>
      <Icon name={icon} className="size-3.5" />
      {label}
    </span>
  );
}

function NoEvents({ state, goesOn }: Pick<Followed, "state"> & { goesOn: boolean }) {
  if (state === "ended")
    return (
      <Nothing>
        The events of this run are no longer kept. The service keeps them for two minutes after a run, or for a day if it was created with{" "}
        <code className="font-mono">stream_resumable</code>.
      </Nothing>
    );
  if (goesOn && state !== "connecting")
    return <Nothing>{state === "reconnecting" ? "The stream broke. Reconnecting …" : "Connected. No event has arrived yet."}</Nothing>;
  return <Skeleton lines={4} className="p-4" />;
}

function EventRow({ event, isChosen, onChoose }: { event: StreamEvent; isChosen: boolean; onChoose: () => void }) {
  const around = event.event
    .split("|")
    .slice(1)
    .map((segment) => segment.split(":")[0]);
  return (
    <div role="cell" className="h-full">
      <button
        type="button"
        aria-pressed={isChosen}
        onClick={onChoose}
        className={`grid h-full w-full grid-cols-[3.5rem_8.5rem_1fr] items-center gap-2 border-b border-line px-4 text-left text-xs focus-visible:-outline-offset-2 ${isChosen ? "bg-accent-soft" : "hover:bg-sunken"}`}
      >
        <span className="numbers text-right text-muted">{event.id}</span>
        <span className="truncate font-medium">
          {nameOf(event)}
          {around.length > 0 && <span className="font-normal text-muted"> {around.join(" › ")}</span>}
        </span>
        <span className="truncate font-mono text-muted">{event.data.slice(0, 200)}</span>
      </button>
    </div>
  );
}

function EventDetails({ event, onClose }: { event: StreamEvent; onClose: () => void }) {
  const [showsAll, setShowsAll] = useState(false);
  const isCut = !showsAll && event.data.length > mostCharacters;
  const value = useMemo(() => (isCut ? event.data.slice(0, mostCharacters / 100) : parsed(event.data)), [event, isCut]);
  return (
    <div className="min-h-0 min-w-0 flex-1 overflow-auto p-4 max-lg:border-t max-lg:border-line">
      <div className="mb-2 flex items-center gap-2">
        <h3 className="min-w-0 truncate font-semibold" title={event.event}>
          {event.event}
        </h3>
        <span className="text-xs whitespace-nowrap text-muted">{bytes(event.data.length)}</span>
        <Button kind="quiet" icon="cross" className="ml-auto h-7 px-2" onClick={onClose}>
          Close
        </Button>
      </div>
      <JsonView value={value} label="Event" />
      {isCut && (
        <Button className="mt-2" onClick={() => setShowsAll(true)}>
          Show all {bytes(event.data.length)}
        </Button>
      )}
    </div>
  );
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
