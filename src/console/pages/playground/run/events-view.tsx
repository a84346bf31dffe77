import { useState } from "react";
import { IconButton } from "../../../parts/button.tsx";
import { plural } from "../../../parts/format.ts";
import { isObject } from "../../../parts/json-schema.ts";
import { JsonView } from "../../../parts/json-view.tsx";
import { VirtualList } from "../../../parts/virtual-list.tsx";
import type { CustomEvent } from "./run-view.ts";

const rowHeight = 30;
const mostHeight = 420;

/** The custom events of the graph, one in each line. The chosen event is shown completely. */
export function EventsView({ events, dropped }: { events: CustomEvent[]; dropped: number }) {
  const [opened, open] = useState<CustomEvent>();
  if (events.length === 0)
    return <p className="px-4 py-10 text-center text-sm text-muted">The graph has written no events of its own with `config.writer`.</p>;
  return (
    <div>
      {dropped > 0 && (
        <p className="border-b border-line px-4 py-2 text-sm text-muted">
          {plural(dropped, "older event is", "older events are")} not shown.
        </p>
      )}
      <div className="flex" style={{ height: Math.min(mostHeight, events.length * rowHeight) }}>
        <VirtualList
          label="Events"
          count={events.length}
          rowHeight={rowHeight}
          row={(index) => {
            const event = events[index];
            return event && <EventRow event={event} isFirst={index === 0} isOpened={event === opened} onOpen={() => open(event)} />;
          }}
        />
      </div>
      {opened && (
        <div className="border-t border-line p-4">
          <div className="mb-2 flex items-center text-sm">
            <h3 className="font-medium">{nameOf(opened.data)}</h3>
            <IconButton icon="cross" label="Close the event" className="ml-auto" onClick={() => open(undefined)} />
          </div>
          <JsonView key={opened.at} value={opened.data} label="Event" />
        </div>
      )}
    </div>
  );
}

const nameOf = (data: unknown) => (isObject(data) ? String(data.type ?? data.name ?? "event") : "event");

/** The maximum number of characters of an event that fit on a line of the widest screen. */
const mostCharacters = 300;

function summaryOf(data: unknown): string {
  if (!isObject(data)) return JSON.stringify(data) ?? "";
  const { type: _type, pattern: _pattern, elapsedMs: _elapsedMs, ...rest } = data;
  const parts = Object.entries(rest).map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return parts.join(" · ").slice(0, mostCharacters);
}

interface RowProps {
  event: CustomEvent;
  isFirst: boolean;
  isOpened: boolean;
  onOpen: () => void;
}

function EventRow({ event: { data }, isFirst, isOpened, onOpen }: RowProps) {
  return (
    <div role="cell" className="h-full">
      <button
        type="button"
        aria-expanded={isOpened}
        onClick={onOpen}
        className={`flex h-full w-full items-center gap-3 px-4 text-left text-sm hover:bg-sunken focus-visible:-outline-offset-2 ${isFirst ? "" : "border-t border-line"} ${isOpened ? "bg-sunken" : ""}`}
      >
        <span className="w-24 shrink-0 truncate font-medium">{nameOf(data)}</span>
        <span className="min-w-0 flex-1 truncate font-mono text-xs text-muted">{summaryOf(data)}</span>
      </button>
    </div>
  );
}
