import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { useMayAct } from "../settings.ts";
import { CronForm } from "./schedule/cron-form.tsx";
import { type Cron, type NamedAssistant, useAssistants, useCron } from "./schedule/reads.ts";

const list = { label: "Crons and webhooks", to: "/schedule" };

/** The form for a new cron, and for a change of an existing cron. */
export default function CronFormPage() {
  const { id } = useParams();
  const assistants = useAssistants();
  const mayAct = useMayAct();
  const [, go] = useLocation();
  return (
    <Page title={id === undefined ? "New cron" : "Edit cron"} breadcrumbs={[list]}>
      {!mayAct ? (
        <p className="p-6 text-muted">This console is read-only.</p>
      ) : !assistants.data ? (
        <Loading error={assistants.error} retry={() => void assistants.refetch()} />
      ) : id === undefined ? (
        <New assistants={assistants.data} onDone={() => go("/schedule")} />
      ) : (
        <Edit id={id} assistants={assistants.data} onDone={() => go("/schedule")} />
      )}
    </Page>
  );
}

const Loading = ({ error, retry }: { error: unknown; retry: () => void }) =>
  error ? <Failure what="The form could not be loaded" error={error} retry={retry} /> : <Skeleton lines={8} className="max-w-2xl p-6" />;

interface Props {
  assistants: NamedAssistant[];
  onDone: () => void;
}

function New({ assistants, onDone }: Props) {
  const [chosen, setChosen] = useState(new URLSearchParams(location.search).get("assistant") ?? assistants[0]?.assistant_id ?? "");
  return <CronForm assistants={assistants} assistantId={chosen} onAssistant={setChosen} onDone={onDone} />;
}

function Edit({ id, assistants, onDone }: Props & { id: string }) {
  const cron = useCron(id);
  // The form keeps the cron that was read first, so that later reads do not overwrite the typed texts.
  const [first, setFirst] = useState<Cron>();
  if (cron.data && !first) setFirst(cron.data);
  if (first) return <CronForm assistants={assistants} assistantId={first.assistant_id} cron={first} onDone={onDone} />;
  if (cron.data === null) return <Empty title="There is no such cron">It may have been deleted.</Empty>;
  return <Loading error={cron.error} retry={() => void cron.refetch()} />;
}
