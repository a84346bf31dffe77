-- Keys with which clients can repeat a create request and get the same runs. They are kept for a day.
create table idempotency_keys (
  key          text        primary key check (length(key) between 1 and 255),
  request_hash text        not null,
  run_ids      uuid[]      not null default '{}',
  created_at   timestamptz not null default now()
);

create index idempotency_keys_by_age on idempotency_keys (created_at);
