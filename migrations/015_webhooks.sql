-- Whom the end of a run is told. A column beside kwargs, because ->> fails on a json document that holds a NUL anywhere.
alter table runs add column webhook text;

create type webhook_status as enum ('pending', 'delivered', 'dead');

-- The end of a run that is to be told, written by the statement that ends it. It refers to no other table: deliveries are tried for a
-- day, and a stateless run's thread goes two minutes after its end.
create table webhooks (
  run_id     uuid           primary key,
  thread_id  uuid           not null,
  url        text           not null,
  -- By whom turns are shared out: a receiver that hangs may not take them all. Empty for paths of our own app.
  host       text           not null generated always as
                              (coalesce(lower(substring(url from '^\w+://(?:[^/?#@]*@)?([^/?#]*)')), '')) stored,
  -- The run and the values that it left, as they were at its end; dropped when they have arrived.
  run        json,
  status     webhook_status not null default 'pending',
  attempts   integer        not null default 0 check (attempts >= 0),
  -- When it is tried next. Whoever tries puts it off first, so that nobody else does meanwhile, and somebody does if it dies.
  due_at     timestamptz    not null default now(),
  give_up_at timestamptz    not null default now() + interval '1 day',
  error      text,
  created_at timestamptz    not null default now(),
  settled_at timestamptz,

  check ((status = 'pending') = (settled_at is null)),
  check (status = 'delivered' or run is not null)
);

create index webhooks_due on webhooks (due_at) where status = 'pending';
create index webhooks_settled on webhooks (status, settled_at) where status <> 'pending';
