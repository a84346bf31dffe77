import { useState } from "react";
import { ApiFailure, answerOf, api } from "../api.ts";
import { useLive } from "../live.ts";
import { Button } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { useMayAct } from "../settings.ts";
import { LimitCard } from "./queues/limit-card.tsx";
import { LimitDialog } from "./queues/limit-dialog.tsx";

const everyMs = 5_000;

/** The page of the queue limits: the runs that hold slots, the runs that wait, and the values of the limits. */
export default function Queues() {
  const limits = useLive(["limits"], (signal) => answerOf(api.GET("/limits", { signal })), { every: everyMs });
  const [isNew, setNew] = useState(false);
  const mayAct = useMayAct();
  const isRefused = limits.error instanceof ApiFailure && limits.error.status === 403;
  return (
    <Page
      title="Queues"
      actions={
        mayAct &&
        !isRefused && (
          <Button kind="primary" onClick={() => setNew(true)}>
            New limit
          </Button>
        )
      }
    >
      {limits.data ? (
        <div className="space-y-4 p-4 lg:p-6">
          {limits.data.length === 0 && <NoLimits />}
          {limits.data.map((limit) => (
            <LimitCard key={limit.name} limit={limit} />
          ))}
        </div>
      ) : limits.error ? (
        <Failure what="The limits could not be loaded" error={limits.error} retry={() => void limits.refetch()} />
      ) : (
        <Skeleton lines={6} className="p-6" />
      )}
      {isNew && <LimitDialog onClose={() => setNew(false)} />}
    </Page>
  );
}

const NoLimits = () => (
  <Empty title="There are no limits" command="npx ensemble limits set <graph> total=10">
    All waiting runs start as soon as a worker has a free slot. Limit how many runs of a graph run at once with a button above, in
    langgraph.json, or with this command:
  </Empty>
);
