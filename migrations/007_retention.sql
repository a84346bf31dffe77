-- The rule for a thread that was unused for some time. A thread without a rule of its own follows the service's configuration.
create type ttl_strategy as enum ('delete', 'keep_latest');

alter table threads
  add column ttl_minutes    double precision check (ttl_minutes > 0),
  add column ttl_strategy   ttl_strategy,
  -- The updated_at at which the thread was last reduced to its latest checkpoint, and at which it was last trimmed to a number of
  -- checkpoints. A thread that was used since is due again. One that was not is not checked twice.
  add column kept_latest_at timestamptz,
  add column trimmed_at     timestamptz,
  add constraint threads_ttl_whole check ((ttl_minutes is null) = (ttl_strategy is null));

-- Each index holds only the threads that are left to do. It uses time without a zone, because an index cannot depend on the session.
create index threads_own_ttl on threads (((updated_at at time zone 'UTC') + make_interval(secs => ttl_minutes * 60)))
 where not temporary and ttl_minutes is not null and kept_latest_at is distinct from updated_at;
-- For the common rule that keeps the latest checkpoint. The rule that deletes finds its threads by updated_at alone.
create index threads_not_kept_latest on threads (updated_at)
 where not temporary and ttl_minutes is null and kept_latest_at is distinct from updated_at;
create index threads_untrimmed on threads (updated_at)
 where not temporary and trimmed_at is distinct from updated_at;
