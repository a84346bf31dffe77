import { Link, useSearchParams } from "wouter";
import { buttonLook } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { Tag } from "../parts/status.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { useMayAct } from "../settings.ts";
import { Crons } from "./schedule/crons.tsx";
import { Letters } from "./schedule/letters.tsx";
import { useDeadLetters, useDeadWebhooks } from "./schedule/reads.ts";
import { Webhooks } from "./schedule/webhooks.tsx";

/** The page of the crons, and of the runs, webhooks and items that have failed for good. */
export default function Schedule() {
  const [params, setParams] = useSearchParams();
  const mayAct = useMayAct();
  const open = params.get("tab") ?? "crons";
  return (
    <Page
      title="Crons and webhooks"
      actions={
        mayAct && (
          <Link href="/schedule/new" className={buttonLook("primary")}>
            New cron
          </Link>
        )
      }
    >
      <Tabs
        label="Views"
        open={open}
        onOpen={(tab) => setParams(tab === "crons" ? {} : { tab })}
        tabs={[
          { id: "crons", label: "Crons", content: <Crons /> },
          { id: "letters", label: <LettersLabel />, content: <Letters /> },
          { id: "webhooks", label: <WebhooksLabel />, content: <Webhooks /> },
        ]}
      />
    </Page>
  );
}

function LettersLabel() {
  const total = useDeadLetters({ kind: undefined, state: "dead", offset: 0 }).data?.total ?? 0;
  return (
    <span className="inline-flex items-center gap-1.5">
      Dead letters
      {total > 0 && <Tag tone="bad">{total}</Tag>}
    </span>
  );
}

function WebhooksLabel() {
  const total = useDeadWebhooks(0).data?.total ?? 0;
  return (
    <span className="inline-flex items-center gap-1.5">
      Dead webhooks
      {total > 0 && <Tag tone="bad">{total}</Tag>}
    </span>
  );
}
