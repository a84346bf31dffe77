-- The times at which questions to people expire. Then the service continues with the answer { timedOut: true }. A delayed run would keep
-- the thread busy all the while. The run that asked holds the data to continue with, and its timers are deleted with it.
create table timers (
  thread_id    uuid        not null references threads on delete cascade,
  interrupt_id text        not null,
  run_id       uuid        not null references runs on delete cascade,
  due_at       timestamptz not null,

  primary key (thread_id, interrupt_id)
);

create index timers_due on timers (due_at);
create index timers_of_run on timers (run_id);
