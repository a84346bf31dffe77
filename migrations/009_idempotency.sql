-- Idempotency-Keys, with which clients can repeat a request and get the runs that the first request created. Keys are kept for a day.
create table idempotency_keys (
  key          text        primary key check (length(key) between 1 and 255),
  request_hash text        not null,
  run_ids      uuid[]      not null default '{}',
  created_at   timestamptz not null default now()
);

create index idempotency_keys_by_age on idempotency_keys (created_at);
