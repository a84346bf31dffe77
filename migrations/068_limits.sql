-- Limits on the runs of some graphs. Each column holds the value in force: the one set at run time, or else the one in langgraph.json.
create table limits (
  name         text             primary key,
  graphs       text[]           not null,
  -- As langgraph.json states it. Null for a limit that was created at run time.
  configured   json,
  -- As it was set at run time. Null if nothing was set.
  override     json,
  -- How many of the runs may run at once, in total and for each key of the queue.
  total        integer          check (total >= 0),
  per_key      integer          check (per_key >= 0),
  -- How many of the runs may start within `rate_seconds`.
  rate         integer          check (rate >= 1),
  rate_seconds double precision check (rate_seconds > 0),
  -- How many of the runs of one key may wait.
  max_waiting  integer          check (max_waiting >= 0),
  -- True if the limit only counts what it would have refused.
  shadow       boolean          not null default false,
  -- How often runs of a full key had to wait. In shadow, how often any run would have been held up or refused.
  refused      bigint           not null default 0,
  updated_at   timestamptz      not null default now(),

  check ((rate is null) = (rate_seconds is null))
);

-- How many runs hold a slot of a limit: one row for the total, whose key is empty, and one row for each key of the queue. A limit without a
-- total and a rate has no row for the total, because all its runs would update that row.
create table limit_slots (
  name        text             not null references limits on delete cascade,
  key         text             not null,
  running     integer          not null default 0 check (running >= 0),
  -- The token bucket of the rate, in the row of the total.
  tokens      double precision,
  refilled_at timestamptz      not null default now(),
  used_at     timestamptz      not null default now(),

  primary key (name, key)
);

-- Gives back the slots of a run that stops running, in the statement that changes the run. It is a trigger, because workers of the
-- previous release end runs too. The rows are locked in the order of their keys. The next parked run of the key then becomes claimable.
create function leave_slots() returns trigger language plpgsql as $$
begin
  perform 1 from limit_slots where name = any(old.holds) and key in ('', coalesce(old.queue_key, '')) order by name, key for update;
  update limit_slots set running = running - 1, used_at = now()
   where name = any(old.holds) and key in ('', coalesce(old.queue_key, '')) and running > 0;
  if old.queue_key is not null then
    update runs set parked = false
     where run_id = (select run_id from runs
                      where head and parked and queue_key = old.queue_key
                        and graph_id in (select unnest(graphs) from limits where name = any(old.holds))
                      order by rank, seq limit 1
                        for no key update skip locked);
  end if;
  return null;
end $$;

create trigger runs_leave_slots after update on runs for each row
  when (old.holds is not null and old.status = 'running' and new.status <> 'running')
  execute function leave_slots();

create trigger runs_leave_slots_deleted after delete on runs for each row
  when (old.holds is not null and old.status = 'running')
  execute function leave_slots();
