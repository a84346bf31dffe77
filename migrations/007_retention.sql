-- The rule for a thread that is not used for some time. A thread without its own rule follows the service's configuration.
create type ttl_strategy as enum ('delete', 'keep_latest');

alter table threads
  add column ttl_minutes    double precision check (ttl_minutes > 0),
  add column ttl_strategy   ttl_strategy,
  -- The thread's updated_at when it was last reduced to its latest checkpoint, and when it was last trimmed to a number of checkpoints. If
  -- the thread was used since, updated_at differs and the thread is due again. Otherwise it is not checked a second time.
  add column kept_latest_at timestamptz,
  add column trimmed_at     timestamptz,
  add constraint threads_ttl_whole check ((ttl_minutes is null) = (ttl_strategy is null));

-- Each index contains only threads that are still to be reduced or deleted. It uses time without a zone, because an index cannot depend on
-- settings of the session.
create index threads_own_ttl on threads (((updated_at at time zone 'UTC') + make_interval(secs => ttl_minutes * 60)))
 where not temporary and ttl_minutes is not null and kept_latest_at is distinct from updated_at;
-- This index serves the common rule `keep_latest`. The common rule `delete` finds its threads by updated_at alone.
create index threads_not_kept_latest on threads (updated_at)
 where not temporary and ttl_minutes is null and kept_latest_at is distinct from updated_at;
create index threads_untrimmed on threads (updated_at)
 where not temporary and trimmed_at is distinct from updated_at;
