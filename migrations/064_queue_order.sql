-- The order of the queue. Claims take the runs with the smallest rank first. The rank is decided when a run is created, and does not change
-- while the run waits, so that a claim reads a few entries of an index however long the queue is.
alter table runs
  -- From 1 to 5. 5 is the highest.
  add column priority  smallint not null default 3,
  -- The user or tenant to whom the run belongs in the queue. Runs of different keys take turns.
  add column queue_key text,
  -- The place in the queue, in seconds since 1970. Null for a delayed run, and for runs of the previous release. Their place is run_at.
  add column rank      double precision,
  -- True while the run's key has reached a limit. Claims skip parked runs.
  add column parked    boolean  not null default false,
  -- The limits that count this run while it runs.
  add column holds     text[],
  add constraint runs_priority check (priority between 1 and 5) not valid;

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
