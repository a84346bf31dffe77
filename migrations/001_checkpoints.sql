-- The tables of LangGraph's own PostgresSaver, as its version 1.0.5 creates them. PostgresSaver can thus read our rows, and the service can
-- use a database that PostgresSaver has created. We add three columns, which PostgresSaver leaves null.

create table if not exists checkpoint_migrations (
  v integer primary key
);

create table if not exists checkpoints (
  thread_id            text  not null,
  checkpoint_ns        text  not null default '',
  checkpoint_id        text  not null,
  parent_checkpoint_id text,
  type                 text,
  checkpoint           jsonb not null,
  metadata             jsonb not null default '{}',
  primary key (thread_id, checkpoint_ns, checkpoint_id)
);

create table if not exists checkpoint_blobs (
  thread_id     text not null,
  checkpoint_ns text not null default '',
  channel       text not null,
  version       text not null,
  type          text not null,
  blob          bytea,
  primary key (thread_id, checkpoint_ns, channel, version)
);

create table if not exists checkpoint_writes (
  thread_id     text    not null,
  checkpoint_ns text    not null default '',
  checkpoint_id text    not null,
  task_id       text    not null,
  idx           integer not null,
  channel       text    not null,
  type          text,
  blob          bytea   not null,
  primary key (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);

-- Tells PostgresSaver's setup() that no migration is missing.
insert into checkpoint_migrations (v) values (0), (1), (2), (3), (4) on conflict do nothing;

-- The run that wrote the row. A rollback uses it to delete rows, and a resumed attempt uses it to find the run's own checkpoint.
alter table checkpoints       add column if not exists run_id uuid;
alter table checkpoint_blobs  add column if not exists run_id uuid;
alter table checkpoint_writes add column if not exists run_id uuid;

-- LangGraph keeps one interrupt and one resume value for each task. A run that answers an interrupt therefore overwrites the row of the
-- previous run. The overwritten row is kept here, with the run that replaced it, so that a rollback of that run can restore it.
create table replaced_writes (
  replaced_by   uuid    not null,
  thread_id     text    not null,
  checkpoint_ns text    not null,
  checkpoint_id text    not null,
  task_id       text    not null,
  idx           integer not null,
  channel       text    not null,
  type          text,
  blob          bytea   not null,
  run_id        uuid,
  primary key (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, replaced_by)
);
