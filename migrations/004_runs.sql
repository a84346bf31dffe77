create type run_status as enum ('pending', 'running', 'success', 'error', 'timeout', 'interrupted');
create type multitask_strategy as enum ('reject', 'enqueue', 'interrupt', 'rollback');
create type cancel_action as enum ('interrupt', 'rollback');

-- Worker processes. lock_key is the second half of a session advisory lock. While a worker holds this lock, other processes know that the
-- worker lives. A worker that has lost its connection returns with a new key, because the server may hold the old lock for a while.
create sequence worker_lock_keys as integer cycle;

create table workers (
  worker_id    uuid        primary key,
  lock_key     integer     not null unique,
  host         text        not null,
  pid          integer     not null,
  started_at   timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

-- Runs. A run's row is also its entry in the queue, so the status of a run is stored only once.
create table runs (
  run_id             uuid               primary key,
  -- The order of creation. created_at does not give it, because the runs of one batch have the same created_at.
  seq                bigint             not null generated always as identity unique,
  thread_id          uuid               not null references threads on delete cascade,
  assistant_id       uuid               not null references assistants on delete cascade,
  status             run_status         not null default 'pending',
  multitask_strategy multitask_strategy not null,
  metadata           json               not null,
  kwargs             json               not null,
  -- The time from which the run may be claimed.
  run_at             timestamptz        not null default now(),
  -- The fence: the number of the current attempt. It rises with every claim and never falls. Only the worker that holds (run_id, attempt)
  -- may write.
  attempt            integer            not null default 0 check (attempt >= 0),
  -- How many workers have died while they executed this run, since the run stored its last checkpoint.
  crashes            integer            not null default 0 check (crashes >= 0 and crashes <= attempt),
  worker_id          uuid               references workers,
  -- A cancellation that was requested while the run was running. The run's worker stops the run, or else the next worker that claims it.
  cancel             cancel_action,
  -- The response of wait and join: the last values of the root graph, { __interrupt__ } or { __error__ }. The sweeper clears it together
  -- with the events.
  output             json,
  -- How long clients can read the events after the run's end. When the run ends, events_until is computed from it. When the events are
  -- deleted, the sweeper sets events_until to null.
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

-- A thread has at most one running run, even if the code has a bug.
create unique index runs_one_running_a_thread on runs (thread_id) where status = 'running';
create index runs_due on runs (run_at, seq) where status = 'pending';
create index runs_open_of_thread on runs (thread_id, run_at, seq) where status in ('pending', 'running');
create index runs_of_thread on runs (thread_id, seq);
create index runs_of_worker on runs (worker_id) where status = 'running';
create index runs_suspect on runs (run_at, seq) where status = 'pending' and crashes > 0;
create index runs_to_sweep on runs (events_until) where events_until is not null;
create index runs_of_assistant on runs (assistant_id);

-- Threads as the API shows them. A thread is busy while any of its runs is pending or running. Otherwise it has the status at the end of
-- its last run. The status is derived here, because a stored copy would have to be updated at every creation, claim and end of a run.
create view thread_rows as
select thread_id,
       case when exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))
            then 'busy'::thread_status else resting_status end as status,
       metadata, config, "values", interrupts, temporary, created_at, updated_at, state_updated_at
  from threads
 -- A temporary thread is visible while its run is open, so that clients can follow and cancel the run.
 where not temporary
    or exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'));
