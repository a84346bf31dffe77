create type run_status as enum ('pending', 'running', 'success', 'error', 'timeout', 'interrupted');
create type multitask_strategy as enum ('reject', 'enqueue', 'interrupt', 'rollback');
create type cancel_action as enum ('interrupt', 'rollback');

-- A worker process. lock_key is the second half of the session advisory lock by which others see that it lives: a worker that lost
-- its connection comes back with a new one, because the server may hold the old lock for a while.
create sequence worker_lock_keys as integer cycle;

create table workers (
  worker_id    uuid        primary key,
  lock_key     integer     not null unique,
  host         text        not null,
  pid          integer     not null,
  started_at   timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

-- The row is the truth about a run and is itself the queue entry: there is no second queue and no second status.
create table runs (
  run_id             uuid               primary key,
  -- Creation order: the runs of one batch share one now().
  seq                bigint             not null generated always as identity unique,
  thread_id          uuid               not null references threads on delete cascade,
  assistant_id       uuid               not null references assistants on delete cascade,
  status             run_status         not null default 'pending',
  multitask_strategy multitask_strategy not null,
  metadata           json               not null,
  kwargs             json               not null,
  -- Not due before this time.
  run_at             timestamptz        not null default now(),
  -- The fence: it rises with every claim and never goes back. Whoever holds (run_id, attempt) may write, nobody else.
  attempt            integer            not null default 0 check (attempt >= 0),
  -- How often a worker died over this run without a new checkpoint in between.
  crashes            integer            not null default 0 check (crashes >= 0 and crashes <= attempt),
  worker_id          uuid               references workers,
  -- What somebody asked for while the run was running; its worker, or whoever claims it next, carries it out.
  cancel             cancel_action,
  -- The last root values, { __interrupt__ } or { __error__ }: what wait and join answer. The sweeper empties it with the events.
  output             json,
  -- How long after the end its clients may come back for the events; the end turns it into a date, the sweeper into null.
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

-- Two running runs on one thread are impossible, whatever the code does.
create unique index runs_one_running_a_thread on runs (thread_id) where status = 'running';
create index runs_due on runs (run_at, seq) where status = 'pending';
create index runs_open_of_thread on runs (thread_id, run_at, seq) where status in ('pending', 'running');
create index runs_of_thread on runs (thread_id, seq);
create index runs_of_worker on runs (worker_id) where status = 'running';
create index runs_suspect on runs (run_at, seq) where status = 'pending' and crashes > 0;
create index runs_to_sweep on runs (events_until) where events_until is not null;
create index runs_of_assistant on runs (assistant_id);

-- A thread as callers see it: busy while any of its runs is pending or running, else what its last run left. Derived, because a
-- stored copy would have to be kept right by every creator, claimer and end at once.
create view thread_rows as
select thread_id,
       case when exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))
            then 'busy'::thread_status else resting_status end as status,
       metadata, config, "values", interrupts, temporary, created_at, updated_at, state_updated_at
  from threads
 -- A temporary thread is seen while its run is open, so that it can be followed and cancelled like any other.
 where not temporary
    or exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'));
