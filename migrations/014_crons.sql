-- Crons, which create runs by a schedule. The runs of a cron are all on one thread, or each is on a new thread. The transaction that
-- creates a run also sets the cron's next date.
create table crons (
  cron_id          uuid        primary key,
  thread_id        uuid        references threads on delete cascade,
  assistant_id     uuid        not null references assistants on delete cascade,
  schedule         text        not null,
  -- The IANA name of a time zone. Null means UTC.
  timezone         text,
  end_time         timestamptz,
  enabled          boolean     not null default true,
  -- What happens to the thread that was created for a run. A thread that the cron names is never deleted.
  on_run_completed text        not null check (on_run_completed in ('delete', 'keep')),
  payload          json        not null,
  metadata         json        not null default '{}',
  -- Null if there is no next run, because the cron is disabled or past its end.
  next_run_date    timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),

  check (enabled or next_run_date is null),
  check (thread_id is null or on_run_completed = 'keep')
);

create index crons_due on crons (next_run_date) where next_run_date is not null;
create index crons_of_thread on crons (thread_id);
create index crons_of_assistant on crons (assistant_id);
