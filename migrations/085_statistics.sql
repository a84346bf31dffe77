-- Statistics, summed up by the hour. Workers add what they have counted, each at most once a second. A worker that dies loses what it
-- counted since then. The ledger in the state of a run is the record of its calls, and these tables are only for overviews.

-- Adds two lists of counts item by item. A list may be longer than the other, because a later release may have more buckets.
create function add_counts(one bigint[], other bigint[]) returns bigint[] language sql immutable parallel safe as $$
  select coalesce(array_agg(coalesce(a, 0) + coalesce(b, 0) order by place), '{}')
    from (select place, a, b from unnest(one, other) with ordinality as both_lists (a, b, place)) counts
$$;

create aggregate sum_counts(bigint[]) (sfunc = add_counts, stype = bigint[], initcond = '{}');

-- The calls of an agent in an hour. The hour is that of the database's clock when the worker stored the counts.
create table agent_hours (
  hour          timestamptz      not null,
  graph_id      text             not null,
  agent         text             not null,
  calls         bigint           not null check (calls >= 0),
  failures      bigint           not null check (failures between 0 and calls),
  elapsed_ms    double precision not null,
  -- How many calls had to wait for resources, and for how long together.
  waits         bigint           not null default 0,
  waited_ms     double precision not null default 0,
  input_tokens  bigint           not null default 0,
  output_tokens bigint           not null default 0,
  retries       bigint           not null default 0,
  -- How often a call succeeded after calls of the same agent in the same run had failed.
  recoveries    bigint           not null default 0,
  stalls        bigint           not null default 0,
  -- How many calls took so long: one count for each bucket of src/stats/histogram.ts.
  latency       bigint[]         not null,

  primary key (hour, graph_id, agent)
);

-- The last 20 outcomes of an agent, the latest first: s for a success, f for a failure.
create table agent_health (
  graph_id      text        not null,
  agent         text        not null,
  outcomes      text        not null check (outcomes ~ '^[sf]{1,20}$'),
  called_at     timestamptz not null default now(),
  last_error    text,
  last_error_at timestamptz,

  primary key (graph_id, agent),
  check ((last_error is null) = (last_error_at is null))
);

create index agent_health_by_age on agent_health (called_at);

-- The runs of a graph in an hour. A run counts as created when a worker begins its first attempt.
create table run_hours (
  hour        timestamptz not null,
  graph_id    text        not null,
  created     bigint      not null,
  succeeded   bigint      not null,
  failed      bigint      not null,
  interrupted bigint      not null,
  conflicts   bigint      not null,
  -- Counts for each bucket of src/stats/histogram.ts: from the first attempt to the end, and from the due time to the first attempt.
  durations   bigint[]    not null,
  waits       bigint[]    not null,

  primary key (hour, graph_id)
);

-- The alerts that runs have set. An alert is active until a run of the graph ends within the threshold.
create table alerts (
  graph_id   text             not null,
  alert      text             not null,
  is_active  boolean          not null,
  value      double precision not null,
  threshold  double precision not null,
  -- The run that crossed the threshold last, and how many did.
  run_id     uuid             not null,
  crossings  bigint           not null default 1,
  crossed_at timestamptz      not null default now(),

  primary key (graph_id, alert)
);
