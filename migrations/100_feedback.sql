-- What people say about runs: one row for each run and feedback key, from the moment at which the run offers its feedback URLs.
create table feedback (
  run_id          uuid             not null,
  key             text             not null check (length(key) between 1 and 100),
  thread_id       uuid             not null,
  assistant_id    uuid             not null,
  graph_id        text,
  -- The metadata of the thread when the run ended. It decides who may see the row after a temporary thread is gone.
  thread_metadata json             not null default '{}',
  score           double precision,
  value           json,
  -- 10,000 characters at most. Encrypted, they take up to 60,000.
  comment         text             check (length(comment) <= 60000),
  correction      json,
  metadata        json,
  -- How often the row was written through its URL. It bounds the writes that the holder of a URL can cause.
  changes         integer          not null default 0 check (changes >= 0),
  -- True once the sweep has deleted the run of the row with its temporary thread. There is no foreign key to runs, because such a row stays.
  -- A trigger deletes all other rows together with their runs.
  detached        boolean          not null default false,
  created_at      timestamptz      not null default now(),
  given_at        timestamptz,
  updated_at      timestamptz      not null default now(),

  primary key (run_id, key),
  check ((changes = 0) = (given_at is null))
);

create index feedback_given on feedback (given_at, run_id) where given_at is not null;
create index feedback_of_thread on feedback (thread_id);
create index feedback_detached on feedback (updated_at) where detached;

-- The secret that signs feedback URLs, if the operator has set none. It is one row, so that all processes sign with the same secret.
create table feedback_secret (
  is_only boolean primary key default true check (is_only),
  secret  bytea   not null check (octet_length(secret) >= 32)
);

-- True if the run has rows in feedback. It spares all other runs the trigger below.
alter table runs add column has_feedback boolean not null default false;

create function delete_feedback() returns trigger language plpgsql as $$
begin
  delete from feedback where run_id = old.run_id and not detached;
  return null;
end $$;

create trigger runs_delete_feedback after delete on runs for each row when (old.has_feedback) execute function delete_feedback();
