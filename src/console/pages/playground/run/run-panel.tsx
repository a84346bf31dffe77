import { Link } from "wouter";
import { Button } from "../../../parts/button.tsx";
import { number, shortId } from "../../../parts/format.ts";
import { Icon } from "../../../parts/icons.tsx";
import { JsonView } from "../../../parts/json-view.tsx";
import { Section } from "../../../parts/page.tsx";
import { Failure } from "../../../parts/states.tsx";
import { StatusBadge, Tag } from "../../../parts/status.tsx";
import { Tabs } from "../../../parts/tabs.tsx";
import { duration, useNow } from "../../../parts/time.tsx";
import { useMayAct } from "../../../settings.ts";
import { ScenarioBoard } from "../scenario/scenario-board.tsx";
import { AgentsView } from "./agents-view.tsx";
import { EventsView } from "./events-view.tsx";
import { dollars, type LedgerRow, rowsOf, totalOf } from "./ledger.ts";
import { LedgerTable } from "./ledger-table.tsx";
import { lastTextOf } from "./messages.ts";
import { MessagesView } from "./messages-view.tsx";
import { Questions } from "./questions.tsx";
import { type Session, stopRun } from "./session.ts";
import { StepsView } from "./steps-view.tsx";

/** The panel of the started run: its progress and its result. */
export function RunPanel({ session }: { session: Session }) {
  const { view, failure } = session;
  const rows = rowsOf(view.ledger.values());
  const cost = totalOf(rows);
  const isRoster = view.assignments.length > 0;
  return (
    <section aria-label="Run" className="flex min-w-0 flex-col gap-5">
      <RunHeader session={session} cost={cost} />
      {failure !== undefined && <Failure what="The run could not be followed" error={failure} />}
      {view.error && <RunError {...view.error} />}
      {session.phase === "ended" && view.questions.length > 0 && <Questions session={session} />}
      <ScenarioBoard view={view.scenario} output={view.output} />
      <AgentsView assignments={view.assignments} />
      {isRoster && rows.length > 0 && (
        <Section title="Ledger" actions={<span className="numbers text-sm font-medium">{dollars(cost.dollars)}</span>}>
          <LedgerTable rows={rows} />
        </Section>
      )}
      <Details session={session} ledger={isRoster ? [] : rows} />
    </section>
  );
}

function RunHeader({ session, cost }: { session: Session; cost: ReturnType<typeof totalOf> }) {
  const { name, threadId, runId, phase, isLost, status, startedAt, endedAt, view } = session;
  const mayAct = useMayAct();
  const now = useNow();
  const isOpen = phase === "starting" || phase === "streaming";
  const asks = phase === "ended" && view.questions.length > 0;
  return (
    <header className="space-y-1.5">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1.5">
        <h2 className="min-w-0 truncate text-lg font-semibold">{name}</h2>
        {asks ? (
          <Tag tone="warn" icon="inbox">
            Waits for an answer
          </Tag>
        ) : (
          <StatusBadge status={phase === "ended" ? status : phase === "starting" ? "pending" : "running"} />
        )}
        <span className="numbers text-sm text-muted">
          {endedAt === undefined ? elapsed(now - startedAt) : duration(Math.max(0, endedAt - startedAt))}
        </span>
        {mayAct && isOpen && (
          <Button kind="danger" icon="stop" className="ml-auto" disabled={!runId} onClick={() => void stopRun(session)}>
            Stop
          </Button>
        )}
      </div>
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted">
        {runId && <PlaceLink label="Run" to={`/threads/${threadId}/runs/${runId}`} id={runId} />}
        {runId && <PlaceLink label="Thread" to={`/threads/${threadId}`} id={threadId} />}
        {cost.calls > 0 && (
          <span className="numbers">
            <span className="font-medium text-text">{dollars(cost.dollars)}</span> · {number(cost.inputTokens + cost.outputTokens)} tokens
          </span>
        )}
        {view.attempt > 1 && <Tag tone="warn">Attempt {view.attempt}</Tag>}
      </p>
      <div role="status" aria-live="polite">
        {isLost && isOpen && (
          <p className="flex items-center gap-2 text-sm text-warn">
            <Icon name="warning" />
            The connection is lost. The run goes on, and the page follows it again as soon as the service answers.
          </p>
        )}
      </div>
    </header>
  );
}

/** Returns the duration of a running run in whole seconds, because the display changes once a second. */
const elapsed = (ms: number) => (ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1_000))} s` : duration(ms));

const PlaceLink = ({ label, to, id }: { label: string; to: string; id: string }) => (
  <span>
    {label}{" "}
    <Link href={to} className="font-mono text-xs text-accent underline" title={id}>
      {shortId(id)}
    </Link>
  </span>
);

function RunError({ error, message }: { error: string; message: string }) {
  return (
    <div role="alert" className="rounded-lg bg-bad-soft px-4 py-3 text-bad">
      <p className="flex items-start gap-2 font-medium">
        <Icon name="cross" className="mt-0.5" />
        <span className="min-w-0 break-words">{error}</span>
      </p>
      <p className="mt-1 max-h-60 overflow-y-auto pl-6 break-words whitespace-pre-wrap">{message}</p>
    </div>
  );
}

/** The tabs with the details of a run. `ledger` is empty if the page already shows the ledger above the tabs, as for graphs with agents. */
function Details({ session: { view, phase }, ledger }: { session: Session; ledger: LedgerRow[] }) {
  const isOpen = phase !== "ended";
  const label = (name: string, amount: number) => (
    <>
      {name} <span className="numbers text-muted">{number(amount)}</span>
    </>
  );
  const tabs = [
    { id: "output", label: "Output", content: <Output view={view} isOpen={isOpen} /> },
    { id: "steps", label: label("Steps", view.steps.length), content: <StepsView steps={view.steps} /> },
    {
      id: "events",
      label: label("Events", view.events.length + view.droppedEvents),
      content: <EventsView events={view.events} dropped={view.droppedEvents} />,
    },
    ...(ledger.length > 0 ? [{ id: "ledger", label: "Ledger", content: <LedgerTable rows={ledger} isFlat /> }] : []),
  ];
  return (
    <div className="rounded-lg border border-line bg-surface">
      <Tabs label="Results" tabs={tabs} />
    </div>
  );
}

function Output({ view, isOpen }: { view: Session["view"]; isOpen: boolean }) {
  const messages = [...view.messages.values()].filter(({ text, calls }) => text !== "" || calls.length > 0);
  const last = lastTextOf(view.output);
  const isShown = messages.some(({ text }) => text === last);
  const isEmpty = messages.length === 0 && view.output === undefined;
  return (
    <div className="space-y-4 p-4">
      {isEmpty && <p className="py-6 text-center text-sm text-muted">{isOpen ? "Nothing is written yet." : "The run has no output."}</p>}
      <MessagesView messages={messages} isOpen={isOpen} />
      {last !== undefined && !isShown && (
        <div>
          <h3 className="mb-1.5 text-sm font-medium">Answer</h3>
          <pre className="rounded-md bg-sunken p-3 font-sans break-words whitespace-pre-wrap">{last}</pre>
        </div>
      )}
      {view.output !== undefined && (
        <div>
          <h3 className="mb-1.5 text-sm font-medium">Output of the graph</h3>
          <JsonView value={view.output} label="Output" />
        </div>
      )}
    </div>
  );
}
