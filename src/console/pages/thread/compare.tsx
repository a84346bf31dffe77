import { Button } from "../../parts/button.tsx";
import { DiffView } from "../../parts/diff-view.tsx";
import { shortId } from "../../parts/format.ts";
import { RelativeTime } from "../../parts/time.tsx";
import { idOf, parentOf, type State } from "./data.ts";
import { Message } from "./message.tsx";
import { messagesIn, readMessages } from "./messages.ts";
import { nodesOf } from "./nodes.ts";

interface Props {
  one: State;
  other: State;
  states: State[];
  onClose: () => void;
}

/** Two checkpoints side by side: the differences between their states, and their messages. */
export function Compare({ one, other, states, onClose }: Props) {
  const hasMessages = [one, other].some(({ values }) => messagesIn(values));
  return (
    <section aria-label="Comparison" className="space-y-6 p-4 lg:p-6">
      <header className="flex flex-wrap items-start gap-x-6 gap-y-3">
        <Name letter="A" state={one} states={states} />
        <Name letter="B" state={other} states={states} />
        <Button className="ml-auto" icon="cross" onClick={onClose}>
          Close the comparison
        </Button>
      </header>
      <div>
        <h2 className="mb-2 font-semibold">Differences of the state</h2>
        <DiffView before={one.values} after={other.values} names={["A", "B"]} />
      </div>
      {hasMessages && (
        <div>
          <h2 className="mb-2 font-semibold">Messages</h2>
          <div className="grid gap-6 md:grid-cols-2">
            <Messages letter="A" state={one} other={other} />
            <Messages letter="B" state={other} other={one} />
          </div>
        </div>
      )}
    </section>
  );
}

function Name({ letter, state, states }: { letter: string; state: State; states: State[] }) {
  const parent = states.find((candidate) => idOf(candidate) === parentOf(state));
  return (
    <p className="flex items-center gap-2.5">
      <span className="flex size-7 items-center justify-center rounded-md bg-accent-soft font-semibold text-accent">{letter}</span>
      <span>
        <span className="block font-medium">
          {nodesOf(state, parent)}, step {String(state.metadata?.step ?? "?")}
        </span>
        <span className="block text-xs text-muted">
          {shortId(idOf(state))} · {state.created_at && <RelativeTime time={state.created_at} />}
        </span>
      </span>
    </p>
  );
}

/** The maximum number of messages that are shown for each checkpoint. Messages that both checkpoints have are not shown. */
const mostMessages = 50;

function Messages({ letter, state, other }: { letter: string; state: State; other: State }) {
  const common = new Set(readMessages(messagesIn(other.values) ?? []).map(({ key }) => key));
  const messages = readMessages(messagesIn(state.values) ?? []);
  const own = messages.filter(({ key }) => !common.has(key)).slice(-mostMessages);
  const shared = messages.length - messages.filter(({ key }) => !common.has(key)).length;
  return (
    <div className="min-w-0 space-y-4">
      <p className="text-sm text-muted">
        {letter}: {shared} in common, {messages.length - shared} only here
      </p>
      {own.map((message) => (
        <Message key={message.key} message={message} />
      ))}
    </div>
  );
}
