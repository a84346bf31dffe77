create type run_status as enum ('pending', 'running', 'success', 'error', 'timeout', 'interrupted');
create type multitask_strategy as enum ('reject', 'enqueue', 'interrupt', 'rollback');
create type cancel_action as enum ('interrupt', 'rollback');

-- Worker processes. lock_key is the second half of the session advisory lock by which other processes see that the worker lives. A worker
-- that lost its connection returns with a new key, because the server may hold the old lock for a while.
create sequence worker_lock_keys as integer cycle;

create table workers (
  worker_id    uuid        primary key,
  lock_key     integer     not null unique,
  host         text        not null,
  pid          integer     not null,
  started_at   timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

-- Runs. The row is also the queue entry, so there is no second queue and no second status.
create table runs (
  run_id             uuid               primary key,
  -- The order of creation. The runs of one batch share the same created_at.
  seq                bigint             not null generated always as identity unique,
  thread_id          uuid               not null references threads on delete cascade,
  assistant_id       uuid               not null references assistants on delete cascade,
  status             run_status         not null default 'pending',
  multitask_strategy multitask_strategy not null,
  metadata           json               not null,
  kwargs             json               not null,
  -- The run is not due before this time.
  run_at             timestamptz        not null default now(),
  -- The fence, which rises with every claim and never falls. Only the worker that holds (run_id, attempt) may write.
  attempt            integer            not null default 0 check (attempt >= 0),
  -- How often a worker died during this run without a new checkpoint in between.
  crashes            integer            not null default 0 check (crashes >= 0 and crashes <= attempt),
  worker_id          uuid               references workers,
  -- A cancellation that was requested while the run was running. Its worker, or the next one that claims it, executes it.
  cancel             cancel_action,
  -- The response of wait and join: the last root values, { __interrupt__ } or { __error__ }. The sweeper clears it with the events.
  output             json,
  -- How long clients can read the events after the run's end. The end sets events_until from it, and the sweeper sets that to null.
  events_kept_secs   double precision   not null,
  events_until       timestamptz,
  error              json,
  created_at         timestamptz        not null default now(),
  updated_at         timestamptz        not null default now(),
  started_at         timestamptz,
  ended_at           timestamptz,

  check ((status = 'running') = (worker_id is not null)),
  check (status <> 'running' or (attempt >= 1 and started_at is not null)),
  check ((status in ('pending', 'running')) = (ended_at is null)),
  check ((status in ('error', 'timeout')) = (error is not null))
);

-- A thread has at most one running run, whatever the code does.
create unique index runs_one_running_a_thread on runs (thread_id) where status = 'running';
create index runs_due on runs (run_at, seq) where status = 'pending';
create index runs_open_of_thread on runs (thread_id, run_at, seq) where status in ('pending', 'running');
create index runs_of_thread on runs (thread_id, seq);
create index runs_of_worker on runs (worker_id) where status = 'running';
create index runs_suspect on runs (run_at, seq) where status = 'pending' and crashes > 0;
create index runs_to_sweep on runs (events_until) where events_until is not null;
create index runs_of_assistant on runs (assistant_id);

-- Threads as callers see them. A thread is busy while any of its runs is pending or running, and otherwise has the status that its last run
-- left. The status is derived, because every creation, claim and end of a run would have to update a stored copy.
create view thread_rows as
select thread_id,
       case when exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))
            then 'busy'::thread_status else resting_status end as status,
       metadata, config, "values", interrupts, temporary, created_at, updated_at, state_updated_at
  from threads
 -- A temporary thread is visible while its run is open, so that clients can follow and cancel it like any other.
 where not temporary
    or exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'));
