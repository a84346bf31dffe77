-- The URL that is called when a run ends. It is a separate column, because ->> fails on a json document (kwargs) that contains a NUL
-- anywhere.
alter table runs add column webhook text;

create type webhook_status as enum ('pending', 'delivered', 'dead');

-- Webhook deliveries, written by the statement that ends the run. The table has no foreign keys. A delivery is tried for a day, but a
-- stateless run's thread is deleted two minutes after its end.
create table webhooks (
  run_id     uuid           primary key,
  thread_id  uuid           not null,
  url        text           not null,
  -- The host that receives the delivery. It is empty for paths of our own app. Deliveries are distributed over hosts, so that a host that
  -- hangs does not block the others.
  host       text           not null generated always as
                              (coalesce(lower(substring(url from '^\w+://(?:[^/?#@]*@)?([^/?#]*)')), '')) stored,
  -- The run and its final values, at the time of its end. Cleared after the delivery.
  run        json,
  status     webhook_status not null default 'pending',
  attempts   integer        not null default 0 check (attempts >= 0),
  -- The time of the next try. A worker moves it forward before it tries. Only one worker thus tries at a time, and if that worker dies,
  -- another one tries at the new time.
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
