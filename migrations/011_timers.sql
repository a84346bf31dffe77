-- When a question to a person stops waiting: then the service goes on, with { timedOut: true } for an answer. Not a delayed run, which
-- would keep the thread busy all the while. The run that asked says with what to go on; where it goes, its question goes as well.
create table timers (
  thread_id    uuid        not null references threads on delete cascade,
  interrupt_id text        not null,
  run_id       uuid        not null references runs on delete cascade,
  due_at       timestamptz not null,

  primary key (thread_id, interrupt_id)
);

create index timers_due on timers (due_at);
create index timers_of_run on timers (run_id);
