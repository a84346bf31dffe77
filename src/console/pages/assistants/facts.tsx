import { Link } from "wouter";
import { Id } from "../../parts/copy.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue, Section } from "../../parts/page.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { type Assistant, isSystem } from "./reads.ts";

/** Shows the fields of the newest version of an assistant. */
export function Facts({ assistant }: { assistant: Assistant }) {
  return (
    <div className="grid gap-6 p-4 md:grid-cols-[minmax(0,20rem)_minmax(0,1fr)] lg:p-6">
      <div className="space-y-5">
        {assistant.description && <p className="break-words whitespace-pre-wrap">{assistant.description}</p>}
        <KeyValue entries={entriesOf(assistant)} />
        {isSystem(assistant) && <Origin assistant={assistant} />}
      </div>
      <div className="min-w-0 space-y-5">
        <Part title="Context" value={assistant.context} none="The graph gets the defaults of its context." />
        <Part title="Config" value={assistant.config} none="The runs get no config from this assistant." />
        <Part title="Metadata" value={assistant.metadata} none="There is no metadata." />
      </div>
    </div>
  );
}

const entriesOf = ({ assistant_id, graph_id, version, created_at, updated_at }: Assistant): [string, React.ReactNode][] => [
  ["Graph", <GraphLink key="graph" graph={graph_id} />],
  ["Latest version", version],
  ["Created", <RelativeTime key="created" time={created_at} />],
  ...(updated_at ? [["Updated", <RelativeTime key="updated" time={updated_at} />] as [string, React.ReactNode]] : []),
  ["Id", <Id key="id" id={assistant_id} />],
];

const GraphLink = ({ graph }: { graph: string }) => (
  <Link href={`/assistants?graph=${encodeURIComponent(graph)}`} className="text-accent hover:underline">
    {graph}
  </Link>
);

/** Shows the origin of an assistant that the service itself has made, and says why nobody can delete it here. */
function Origin({ assistant: { metadata } }: { assistant: Assistant }) {
  const isPreset = typeof metadata.preset === "string";
  return (
    <p className="rounded-md bg-sunken px-3 py-2 text-sm text-muted">
      {isPreset
        ? "A file of the project describes this assistant. If the file changes, the service makes a new version from it at its next start."
        : "The service makes this assistant for its graph."}{" "}
      It cannot be deleted here, because the service would make it again at its next start.
    </p>
  );
}

function Part({ title, value, none }: { title: string; value: Record<string, unknown>; none: string }) {
  return (
    <Section title={title}>
      {Object.keys(value).length === 0 ? <p className="text-muted">{none}</p> : <JsonView value={value} label={title} />}
    </Section>
  );
}
