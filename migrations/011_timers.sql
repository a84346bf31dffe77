-- The times at which open questions expire. At that time, the service continues with the answer { timedOut: true }. A delayed run could do
-- the same, but it would keep the thread busy until then. The run that asked has the data for the run that continues. If the run that asked
-- is deleted, its timers are deleted with it.
create table timers (
  thread_id    uuid        not null references threads on delete cascade,
  interrupt_id text        not null,
  run_id       uuid        not null references runs on delete cascade,
  due_at       timestamptz not null,

  primary key (thread_id, interrupt_id)
);

create index timers_due on timers (due_at);
create index timers_of_run on timers (run_id);
