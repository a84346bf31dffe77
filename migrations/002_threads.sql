-- Converts a json document for searches, on both sides of a comparison. json keeps a document exactly as the client sent it, but jsonb
-- refuses NUL characters and lone surrogates. Responses read the exact column.
-- JSON.stringify escapes only lone surrogates, so every \ud8xx..\udfxx escape in our documents is one.
create function searchable(doc json) returns jsonb
  language sql immutable strict parallel safe
  return regexp_replace(doc::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})', '\1\\ufffd', 'gi')::jsonb;

create type thread_status as enum ('idle', 'busy', 'interrupted', 'error');

create table threads (
  thread_id        uuid          primary key,
  -- The status that the last run left. Whether a thread is busy depends on its runs, and the view thread_rows reads it from them.
  resting_status   thread_status not null default 'idle' check (resting_status <> 'busy'),
  metadata         json          not null default '{}',
  config           json          not null default '{}',
  "values"         json,
  interrupts       json          not null default '{}',
  -- Whether a stateless run created the thread. It is hidden once its run has ended, and the sweeper deletes it.
  temporary        boolean       not null default false,
  created_at       timestamptz   not null default now(),
  updated_at       timestamptz   not null default now(),
  state_updated_at timestamptz   not null default now()
);

create index threads_by_metadata on threads using gin (searchable(metadata) jsonb_path_ops);
create index threads_by_created_at on threads (created_at, thread_id);
create index threads_by_updated_at on threads (updated_at, thread_id);
create index threads_temporary on threads (updated_at) where temporary;
