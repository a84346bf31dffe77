-- The order of the queue. Claims take the runs with the smallest rank first. The rank is decided when a run is created, and does not change
-- while the run waits, so that a claim reads a few entries of an index however long the queue is.
alter table runs
  -- From 1 to 5. 5 is the highest.
  add column priority  smallint not null default 3,
  -- The user or tenant to whom the run belongs in the queue. Runs of different keys take turns.
  add column queue_key text,
  -- The place in the queue, in seconds since 1970. Null for a delayed run, and for runs that are older than
  -- this column. Their place is run_at.
  add column rank      double precision,
  -- True while the run's key has reached a limit. Claims skip parked runs.
  add column parked    boolean  not null default false,
  -- The limits that count this run while it runs.
  add column holds     text[],
  add constraint runs_priority check (priority between 1 and 5) not valid;

-- Returns the rank of a new run without a key, before its priority counts. For a key, this is the rank of its first turn. It first looks
-- whether a rank lies in the future. Without keys none does, and that part of the index is empty. The first entry of the index costs more to
-- find, because the entries of runs that were claimed lie before it.
create function first_rank(graph text) returns double precision language plpgsql stable as $$
declare
  present constant double precision := extract(epoch from now());
begin
  if not exists (select from runs where head and not parked and rank is not null and graph_id = graph and rank > present) then
    return present;
  end if;
  return greatest(present, (select rank + (priority - 3) * 60 from runs
                             where head and not parked and rank is not null and graph_id = graph order by rank, seq limit 1));
end $$;

-- Makes the first run of a thread its head, as before, and gives the run its rank. The service has put the rank of its turn there if the run
-- has a key. Each step of priority brings the run a minute forward. The place of a delayed run is its due time.
create or replace function place_new_run() returns trigger language plpgsql as $$
begin
  new.graph_id := coalesce(new.graph_id, graph_of_run(new.kwargs, new.assistant_id));
  new.head := new.status = 'pending'
    and not exists (select from runs where thread_id = new.thread_id and (head or status = 'running'));
  new.rank := case when new.run_at <= now() then coalesce(new.rank, first_rank(new.graph_id)) - (new.priority - 3) * 60 end;
  return new;
end $$;

-- The keys of the queue, with the rank of each key's next turn. A key is a user or a tenant. Runs without a key touch no row here.
create table queue_keys (
  key        text             primary key,
  next_rank  double precision not null,
  -- How many turns the key has taken in total.
  turns      bigint           not null default 0,
  -- A key with weight 3 gets three turns while a key with weight 1 gets one.
  weight     double precision not null default 1 check (weight > 0),
  used_at    timestamptz      not null default now()
);
create index queue_keys_unused on queue_keys (used_at) where weight = 1;
