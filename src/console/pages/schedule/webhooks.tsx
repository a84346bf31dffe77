import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { Button } from "../../parts/button.tsx";
import { Checkbox } from "../../parts/field.tsx";
import { number, plural, shortId } from "../../parts/format.ts";
import { Pager } from "../../parts/pager.tsx";
import { Empty, Failure, Skeleton } from "../../parts/states.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { useMayAct } from "../../settings.ts";
import { type DeadWebhook, useDeadWebhooks, webhooksPerPage } from "./reads.ts";
import { Redrive } from "./redrive.tsx";
import { type Selection, useSelection } from "./selection.ts";

/** The webhook deliveries that have failed for good. */
export function Webhooks() {
  const [params, setParams] = useSearchParams();
  const offset = Number(params.get("offset")) || 0;
  const dead = useDeadWebhooks(offset);
  const selection = useSelection<DeadWebhook>(({ run_id }) => run_id);
  const [asked, setAsked] = useState<DeadWebhook[]>(); // stored here, so that the dialog stays open when the list becomes empty
  if (!dead.data)
    return dead.error ? (
      <Failure what="The dead webhooks could not be loaded" error={dead.error} retry={() => void dead.refetch()} />
    ) : (
      <Skeleton className="p-6" />
    );
  const { entries, total } = dead.data;
  return (
    <>
      {total === 0 ? (
        <NoneDead />
      ) : (
        <div className="space-y-3 p-4 lg:p-6">
          <List dead={entries} selection={selection} onRedrive={setAsked} />
          <Pager
            offset={offset}
            shown={entries.length}
            size={webhooksPerPage}
            total={total}
            hasMore={offset + entries.length < total}
            onOffset={(next) => setParams({ tab: "webhooks", ...(next > 0 && { offset: String(next) }) })}
          />
        </div>
      )}
      {asked && <Redrive webhooks={asked} onDone={() => selection.choose(asked, false)} onClose={() => setAsked(undefined)} />}
    </>
  );
}

const NoneDead = () => (
  <Empty title="No webhook is dead">
    A run with a <code className="font-mono">webhook</code> calls its URL when it ends. The service tries again for a day. A delivery that
    still fails appears here, and can be sent again.
  </Empty>
);

interface ListProps {
  dead: DeadWebhook[];
  selection: Selection<DeadWebhook>;
  onRedrive: (webhooks: DeadWebhook[]) => void;
}

function List({ dead, selection: { chosen, choose }, onRedrive }: ListProps) {
  const mayAct = useMayAct();
  const here = dead.filter(({ run_id }) => chosen.has(run_id)).length;
  return (
    <>
      {mayAct && (
        <div className="flex min-h-8 flex-wrap items-center gap-3">
          <Checkbox
            label="Choose all on this page"
            checked={here > 0 && here === dead.length}
            isMixed={here > 0 && here < dead.length}
            onChange={(isOn) => choose(dead, isOn)}
          />
          {chosen.size > 0 && (
            <Button kind="primary" icon="retry" onClick={() => onRedrive([...chosen.values()])}>
              Redrive {number(chosen.size)} chosen
            </Button>
          )}
        </div>
      )}
      <ul aria-label="Dead webhooks" className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {dead.map((webhook) => (
          <Row
            key={webhook.run_id}
            webhook={webhook}
            isChosen={chosen.has(webhook.run_id)}
            {...(mayAct && { onChoose: (isOn) => choose([webhook], isOn), onRedrive: () => onRedrive([webhook]) })}
          />
        ))}
      </ul>
    </>
  );
}

interface RowProps {
  webhook: DeadWebhook;
  isChosen: boolean;
  onChoose?: (isChosen: boolean) => void;
  onRedrive?: () => void;
}

function Row({ webhook, isChosen, onChoose, onRedrive }: RowProps) {
  const { run_id, thread_id, url, error, attempts, created_at, died_at } = webhook;
  return (
    <li className={`flex items-start gap-3 px-4 py-3 ${isChosen ? "bg-accent-soft" : ""}`}>
      {onChoose && (
        <Checkbox
          label={`Choose the webhook of run ${shortId(run_id)}`}
          isLabelHidden
          checked={isChosen}
          onChange={onChoose}
          className="mt-1"
        />
      )}
      <div className="min-w-0 flex-1">
        <p className="font-medium break-all">{url}</p>
        <p className="break-words text-bad">{error}</p>
        <p className="flex flex-wrap gap-x-3 text-sm text-muted">
          <span>
            Run{" "}
            <Link href={`/threads/${thread_id}/runs/${run_id}`} title={run_id} className="font-mono text-xs text-accent hover:underline">
              {shortId(run_id)}
            </Link>
          </span>
          <span>{plural(attempts, "attempt")}</span>
          <span>
            ended <RelativeTime time={created_at} />
          </span>
          <span>
            died <RelativeTime time={died_at} />
          </span>
        </p>
      </div>
      {onRedrive && (
        <Button icon="retry" aria-label={`Redrive the webhook of run ${shortId(run_id)}`} onClick={onRedrive}>
          Redrive
        </Button>
      )}
    </li>
  );
}
