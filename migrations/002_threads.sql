-- Returns a json document as jsonb, for comparisons in searches. Both sides of a comparison use this function. json keeps a document
-- exactly as the client sent it. jsonb refuses NUL characters and lone surrogates, so they are replaced here. Responses read the unchanged
-- column. JSON.stringify escapes only lone surrogates, so every \ud8xx..\udfxx escape in our documents is one.
create function searchable(doc json) returns jsonb
  language sql immutable strict parallel safe
  return regexp_replace(doc::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})', '\1\\ufffd', 'gi')::jsonb;

create type thread_status as enum ('idle', 'busy', 'interrupted', 'error');

create table threads (
  thread_id        uuid          primary key,
  -- The status at the end of the last run. A thread with open runs is busy instead. The view thread_rows combines the two.
  resting_status   thread_status not null default 'idle' check (resting_status <> 'busy'),
  metadata         json          not null default '{}',
  config           json          not null default '{}',
  "values"         json,
  interrupts       json          not null default '{}',
  -- True if the thread was created for a stateless run. It is hidden once the run has ended, and the sweeper deletes it.
  temporary        boolean       not null default false,
  created_at       timestamptz   not null default now(),
  updated_at       timestamptz   not null default now(),
  state_updated_at timestamptz   not null default now()
);

create index threads_by_metadata on threads using gin (searchable(metadata) jsonb_path_ops);
create index threads_by_created_at on threads (created_at, thread_id);
create index threads_by_updated_at on threads (updated_at, thread_id);
create index threads_temporary on threads (updated_at) where temporary;
