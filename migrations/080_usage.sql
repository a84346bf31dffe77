-- The tokens and dollars that model calls have used, by day, key of the queue, graph and model. Workers add to these rows.
create table usage (
  -- The day in UTC, by the clock of the database.
  day             date           not null,
  -- The queue key of the runs. Empty for runs without a key.
  key             text           not null,
  graph_id        text           not null,
  model           text           not null,
  calls           bigint         not null default 0,
  -- How many of the calls failed. They may have used tokens.
  failed_calls    bigint         not null default 0,
  -- How many of the calls had an endpoint that reported no tokens. Their tokens are estimated.
  estimated_calls bigint         not null default 0,
  -- How many of the calls had a model without a price. They cost 0 dollars here.
  unpriced_calls  bigint         not null default 0,
  input_tokens    bigint         not null default 0,
  cached_tokens   bigint         not null default 0,
  output_tokens   bigint         not null default 0,
  -- A decimal, so that sums are exact.
  dollars         numeric(24, 12) not null default 0,

  primary key (day, key, graph_id, model)
);

-- The number of the last statement by which a worker has added usage. If a worker repeats a statement, because it does not know whether it
-- took effect, the number keeps it from counting twice.
create table usage_writers (
  writer_id uuid        primary key,
  written   bigint      not null,
  used_at   timestamptz not null default now()
);

alter table limits
  -- How many tokens and dollars the runs of one key may use on a day.
  add column daily_tokens  bigint           check (daily_tokens >= 0),
  add column daily_dollars double precision check (daily_dollars >= 0),
  -- True if runs hold slots of this limit. Claims leave all other limits aside.
  add column has_slots     boolean generated always as (total is not null or per_key is not null or rate is not null) stored;
