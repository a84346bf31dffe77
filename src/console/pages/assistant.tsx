import { useState } from "react";
import { Link, useParams, useSearchParams } from "wouter";
import { ApiFailure } from "../api.ts";
import { Button, buttonLook } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { Tag } from "../parts/status.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { useMayAct } from "../settings.ts";
import { DeleteAssistant } from "./assistants/delete-assistant.tsx";
import { Facts } from "./assistants/facts.tsx";
import { type Assistant, isSystem, useAssistant } from "./assistants/reads.ts";
import { Versions } from "./assistants/versions.tsx";

const breadcrumbs = [{ label: "Assistants", to: "/assistants" }];

/** The page of one assistant: its fields, its versions, and its actions. */
export default function AssistantPage() {
  const { id = "" } = useParams();
  const assistant = useAssistant(id);
  const [params, setParams] = useSearchParams();
  const open = params.get("tab") ?? "facts";
  if (!assistant.data)
    return (
      <Page title="Assistant" breadcrumbs={breadcrumbs}>
        {assistant.error ? <NotThere error={assistant.error} retry={() => void assistant.refetch()} /> : <Skeleton className="p-6" />}
      </Page>
    );
  const { data } = assistant;
  return (
    <Page
      title={data.name || "(no name)"}
      breadcrumbs={breadcrumbs}
      aside={isSystem(data) && <Tag>System</Tag>}
      actions={<Actions assistant={data} />}
    >
      <Tabs
        label="Views"
        open={open}
        onOpen={(tab) => setParams(tab === "facts" ? {} : { tab }, { replace: true })}
        tabs={[
          { id: "facts", label: "Overview", content: <Facts assistant={data} /> },
          { id: "versions", label: "Versions", content: <Versions assistant={data} /> },
        ]}
      />
    </Page>
  );
}

function Actions({ assistant }: { assistant: Assistant }) {
  const { assistant_id: id } = assistant;
  const [isDeleting, setDeleting] = useState(false);
  const mayAct = useMayAct();
  return (
    <>
      <Link href={`/runs?assistant=${id}`} className={buttonLook()}>
        Show runs
      </Link>
      {mayAct && (
        <>
          {!isSystem(assistant) && (
            <Button kind="danger" icon="trash" onClick={() => setDeleting(true)}>
              Delete
            </Button>
          )}
          <Link href={`/assistants/${id}/edit`} className={buttonLook()}>
            Edit
          </Link>
          <Link href={`/playground?assistant=${id}`} className={buttonLook("primary")}>
            Run
          </Link>
        </>
      )}
      {isDeleting && <DeleteAssistant assistant={assistant} onClose={() => setDeleting(false)} />}
    </>
  );
}

function NotThere({ error, retry }: { error: unknown; retry: () => void }) {
  if (!(error instanceof ApiFailure) || error.status !== 404)
    return <Failure what="The assistant could not be loaded" error={error} retry={retry} />;
  return (
    <Empty
      title="There is no such assistant"
      action={
        <Link href="/assistants" className="text-accent underline">
          Show all assistants
        </Link>
      }
    >
      It may have been deleted, or your credential may not be allowed to see it.
    </Empty>
  );
}
