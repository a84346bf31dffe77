import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { Page } from "../parts/page.tsx";
import { Failure, Skeleton } from "../parts/states.tsx";
import { useMayAct } from "../settings.ts";
import { AssistantForm } from "./assistants/assistant-form.tsx";
import { type Assistant, useAssistant, useGraphs } from "./assistants/reads.ts";

const list = { label: "Assistants", to: "/assistants" };

/** The form for a new assistant, and for a new version of an existing assistant. */
export default function AssistantFormPage() {
  const { id } = useParams();
  const mayAct = useMayAct();
  if (!mayAct) return <ReadOnly />;
  return id === undefined ? <New /> : <Edit id={id} />;
}

function New() {
  const graphs = useGraphs();
  const [, go] = useLocation();
  const wanted = new URLSearchParams(location.search).get("graph") ?? undefined;
  return (
    <Page title="New assistant" breadcrumbs={[list]}>
      {graphs.data ? (
        <AssistantForm graphs={graphs.data} graph={wanted} onDone={({ assistant_id }) => go(`/assistants/${assistant_id}`)} />
      ) : (
        <Loading error={graphs.error} retry={() => void graphs.refetch()} />
      )}
    </Page>
  );
}

function Edit({ id }: { id: string }) {
  const assistant = useAssistant(id);
  const graphs = useGraphs();
  const [, go] = useLocation();
  // The form keeps the version that was read first, so that later reads do not overwrite the typed texts.
  const [first, setFirst] = useState<Assistant>();
  if (assistant.data && !first) setFirst(assistant.data);
  const crumbs = first ? [list, { label: first.name, to: `/assistants/${id}` }] : [list];
  return (
    <Page title="Edit" breadcrumbs={crumbs}>
      {first && graphs.data ? (
        <AssistantForm graphs={graphs.data} assistant={first} onDone={() => go(`/assistants/${id}`)} />
      ) : (
        <Loading
          error={assistant.error ?? graphs.error}
          retry={() => {
            void assistant.refetch();
            void graphs.refetch();
          }}
        />
      )}
    </Page>
  );
}

const Loading = ({ error, retry }: { error: unknown; retry: () => void }) =>
  error ? <Failure what="The form could not be loaded" error={error} retry={retry} /> : <Skeleton lines={8} className="max-w-2xl p-6" />;

const ReadOnly = () => (
  <Page title="Assistant" breadcrumbs={[list]}>
    <p className="p-6 text-muted">This console is read-only.</p>
  </Page>
);
