import { useId } from "react";
import { Checkbox, Input, Select } from "../../parts/field.tsx";
import { refusalOf } from "../../parts/refusal.tsx";
import type { CronDraft } from "./draft.ts";
import type { Cron } from "./reads.ts";

const zones = Intl.supportedValuesOf("timeZone");

/** The fields for the time of the ticks, the thread, and the webhook that the service calls after each run. */
export function WhenFields({ draft, cron, error }: { draft: CronDraft; cron: Cron | undefined; error: unknown }) {
  const zoneList = useId();
  return (
    <>
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
        <Input
          label="Schedule"
          className="[&_input]:font-mono"
          value={draft.schedule}
          error={draft.scheduleProblem ?? refusalOf(error, "schedule")}
          hint="Minute, hour, day, month, weekday. 0 7 * * 1-5 is seven o'clock on weekdays."
          onChange={({ target }) => draft.set({ schedule: target.value })}
        />
        <Input
          label="Time zone"
          list={zoneList}
          placeholder="UTC"
          value={draft.timezone}
          error={refusalOf(error, "timezone")}
          hint="Such as Europe/Berlin. UTC if empty."
          onChange={({ target }) => draft.set({ timezone: target.value })}
        />
        <datalist id={zoneList}>
          {zones.map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <Input
          label="Ends (optional)"
          type="datetime-local"
          value={draft.end}
          hint="In your own time zone. After this time, no runs are created."
          onChange={({ target }) => draft.set({ end: target.value })}
        />
        <Input
          label="Webhook (optional)"
          value={draft.webhook}
          hint="A URL that is called when a run ends."
          onChange={({ target }) => draft.set({ webhook: target.value })}
        />
        <ThreadFields draft={draft} cron={cron} />
      </div>
      <Checkbox label="Active" checked={draft.isEnabled} onChange={(isEnabled) => draft.set({ isEnabled })} />
    </>
  );
}

function ThreadFields({ draft, cron }: { draft: CronDraft; cron: Cron | undefined }) {
  return (
    <>
      {(!cron || cron.thread_id !== null) && (
        <Input
          label="Thread (optional)"
          value={draft.threadId}
          disabled={cron !== undefined}
          hint={cron ? "The thread of a cron cannot change." : "The id of a thread for all runs. If empty, each run gets a new one."}
          onChange={({ target }) => draft.set({ threadId: target.value })}
        />
      )}
      {draft.threadId.trim() === "" && (
        <Select
          label="Thread of a run"
          value={draft.onCompleted}
          options={[
            { value: "delete", label: "Delete it when the run ends" },
            { value: "keep", label: "Keep it" },
          ]}
          hint="If it is deleted, the run is deleted with it."
          onChange={(value) => draft.set({ onCompleted: value === "keep" ? "keep" : "delete" })}
        />
      )}
    </>
  );
}
