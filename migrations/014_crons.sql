-- Schedules by which runs are made: on a thread, or each on a thread of its own. Whoever makes the run of a tick sets the next date in
-- the same transaction.
create table crons (
  cron_id          uuid        primary key,
  thread_id        uuid        references threads on delete cascade,
  assistant_id     uuid        not null references assistants on delete cascade,
  schedule         text        not null,
  -- An IANA name; UTC where there is none.
  timezone         text,
  end_time         timestamptz,
  enabled          boolean     not null default true,
  -- What becomes of the thread that a run without one gets. A thread that was named is not the cron's to delete.
  on_run_completed text        not null check (on_run_completed in ('delete', 'keep')),
  payload          json        not null,
  metadata         json        not null default '{}',
  -- Null: no more, because it is disabled or at its end.
  next_run_date    timestamptz,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),

  check (enabled or next_run_date is null),
  check (thread_id is null or on_run_completed = 'keep')
);

create index crons_due on crons (next_run_date) where next_run_date is not null;
create index crons_of_thread on crons (thread_id);
create index crons_of_assistant on crons (assistant_id);
