-- Dead letters: what failed for good, one row each, until a person redrives or discards it. Dead webhooks are not copied here. The table
-- `webhooks` is the truth about them, and the view `letter_rows` shows them as letters.
create type letter_kind as enum ('run', 'webhook', 'cron', 'task', 'partition', 'message', 'compensation');
create type letter_state as enum ('dead', 'redriving', 'redriven', 'discarded');

create table dead_letters (
  letter_id         uuid         primary key,
  kind              letter_kind  not null check (kind <> 'webhook'),
  -- The run that failed, or the run whose item failed. There are no foreign keys to runs and threads, because a stateless run is deleted
  -- soon after its end and its letter stays. Triggers delete the letters of all other runs and threads together with them.
  run_id            uuid,
  thread_id         uuid,
  cron_id           uuid         references crons on delete cascade,
  graph_id          text,
  assistant_id      uuid         not null,
  node              text,
  -- The name of the failed item, unique in its run. Null if the run itself failed.
  item              text,
  -- The input that redoes an item: { input, context }. Null for runs and crons.
  payload           json,
  -- The request of the run. For a run with a lasting thread it is null, because the row of the run has it.
  kwargs            json,
  -- In the form of runs.error: { error, message }.
  error             json         not null,
  -- How often it failed for good: once, and once more for each redrive that failed.
  attempts          integer      not null default 1 check (attempts >= 1),
  first_at          timestamptz  not null default now(),
  last_at           timestamptz  not null default now(),
  state             letter_state not null default 'dead',
  state_at          timestamptz  not null default now(),
  -- The user who redrove or discarded the letter.
  by                text,
  owner             text,
  -- The metadata that decides who may see the letter: that of the thread or of the cron, when the letter was written.
  metadata          json         not null default '{}',
  auth_user         json,
  -- The request that redrives the letter, and the run that it started. A letter in the state redriving without a run waits for its turn.
  redrive_id        uuid,
  redrive_run_id    uuid,
  redrive_thread_id uuid,
  -- The error that the run of the redrive has reported for this item, while that run still goes on.
  failure           json,

  check ((kind = 'run') = (item is null and run_id is not null and cron_id is null)),
  check ((kind = 'cron') = (cron_id is not null))
);

alter table dead_letters alter column kwargs set storage external, alter column payload set storage external;

create index dead_letters_by_time on dead_letters (last_at, letter_id);
create index dead_letters_of_thread on dead_letters (thread_id);
create unique index dead_letters_of_run on dead_letters (run_id) where kind = 'run';
create unique index dead_letters_of_item on dead_letters (run_id, kind, item) where item is not null and cron_id is null;
-- A cron that fails at each of its times has one letter, which counts the failures.
create unique index dead_letters_of_cron on dead_letters (cron_id) where state in ('dead', 'redriving');
create index dead_letters_redriving on dead_letters (redrive_id) where state = 'redriving';
create index dead_letters_settled on dead_letters (state_at) where state <> 'redriving';

-- A request to redrive letters, while some of its letters wait for their turn.
create table redrives (
  redrive_id uuid        primary key,
  -- How many of its runs may be open at once.
  parallel   integer     not null check (parallel >= 1),
  -- The input that replaces the letters' own one: { input }. Null keeps the letters' input.
  edit       json,
  -- The user of the runs and additional metadata for them, if the input is replaced. Otherwise, each run keeps its user.
  auth_user  json,
  metadata   json        not null default '{}',
  created_at timestamptz not null default now()
);

-- The letter that a run redrives.
alter table runs add column letter_id uuid;

-- The marks on dead webhooks that make them letters. Null in rows of the previous release.
alter table webhooks
  add column discarded_at timestamptz,
  add column redriven_at  timestamptz,
  add column handled_by   text;

-- The largest request that the letter of a stateless run keeps. If a request is larger, the letter is deleted together with its run.
create function most_letter_bytes() returns integer language sql immutable parallel safe return 64 * 1024 * 1024;

-- Returns the node that failed in the last attempt of a run, from the run's timeline. Returns null if the timeline does not tell.
create function failed_node(timeline text[]) returns text language plpgsql stable as $$
begin
  return (select span ->> 3 from jsonb_array_elements(searchable(timeline[cardinality(timeline)]::json) -> 'spans') span
           where span ->> 2 = 'node' and span ->> 6 = 'error' limit 1);
exception when others then
  return null;
end $$;

-- Writes the letter of a run that ended with an error or a timeout. If the run redrove a letter, that letter is settled instead: it is
-- redriven if the run succeeded, and dead again otherwise. The trigger is part of the statement that ends the run, in whichever release.
create function note_ended_run() returns trigger language plpgsql as $$
begin
  if new.letter_id is not null then
    update dead_letters
       set state = case when new.status = 'success' and failure is null then 'redriven' else 'dead' end::letter_state, state_at = now(),
           attempts = attempts + case when new.status = 'success' and failure is null then 0 else 1 end,
           last_at = case when new.status = 'success' and failure is null then last_at else now() end,
           error = coalesce(failure, new.error, error), failure = null
     where letter_id = new.letter_id and redrive_run_id = new.run_id and state = 'redriving';
    if found or new.status not in ('error', 'timeout') then
      return null;
    end if;
  end if;
  insert into dead_letters (letter_id, kind, run_id, thread_id, graph_id, assistant_id, node, kwargs, error, owner, metadata, auth_user)
  select gen_random_uuid(), 'run', new.run_id, new.thread_id, new.graph_id, new.assistant_id, failed_node(new.timeline),
         case when temporary and octet_length(new.kwargs::text) <= most_letter_bytes() then new.kwargs end, new.error,
         searchable(new.auth_user) ->> 'identity', threads.metadata, new.auth_user
    from threads where thread_id = new.thread_id
      on conflict do nothing;
  return null;
end $$;

create trigger runs_note_end after update on runs for each row
  when (new.ended_at is not null and old.ended_at is null and (new.status in ('error', 'timeout') or new.letter_id is not null))
  execute function note_ended_run();

-- Deletes the letter of a deleted run, unless the letter has its own copy of the request. If the run redrove a letter and had not ended,
-- that letter is dead again.
create function note_deleted_run() returns trigger language plpgsql as $$
begin
  update dead_letters set state = 'dead', state_at = now(), failure = null
   where letter_id = old.letter_id and redrive_run_id = old.run_id and state = 'redriving';
  delete from dead_letters where run_id = old.run_id and kind = 'run' and kwargs is null;
  return null;
end $$;

create trigger runs_note_deletion after delete on runs for each row
  when (old.status in ('error', 'timeout') or old.letter_id is not null) execute function note_deleted_run();

-- Deletes the letters of a deleted thread. The letters of stateless runs outlive their threads.
create function note_deleted_thread() returns trigger language plpgsql as $$
begin
  delete from dead_letters where thread_id = old.thread_id;
  return null;
end $$;

create trigger threads_note_deletion after delete on threads for each row when (not old.temporary) execute function note_deleted_thread();

-- All letters, with the dead webhooks among them. The id of a webhook's letter is the id of its run.
create view letter_rows as
select letter_id, kind, run_id, thread_id, cron_id, graph_id, assistant_id, node, item, error, attempts, first_at, last_at, state, by, owner,
       metadata, redrive_run_id, redrive_thread_id
  from dead_letters
 union all
select run_id, 'webhook', run_id, thread_id, null, searchable(metadata) ->> 'graph_id', null, null, url,
       json_build_object('error', 'WebhookError', 'message', error), greatest(attempts, 1), created_at, coalesce(settled_at, redriven_at, created_at),
       case when status = 'pending' then 'redriving' when status = 'delivered' then 'redriven'
            when discarded_at is not null then 'discarded' else 'dead' end::letter_state,
       handled_by, null, coalesce(metadata, (searchable(run) -> 'metadata')::json, '{}'), null, null
  from webhooks
 where status = 'dead' or redriven_at is not null;
