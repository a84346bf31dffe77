-- What happens to a thread that nobody used for a while. A thread without a rule of its own follows the service's configuration.
create type ttl_strategy as enum ('delete', 'keep_latest');

alter table threads
  add column ttl_minutes    double precision check (ttl_minutes > 0),
  add column ttl_strategy   ttl_strategy,
  -- The updated_at for which this was done: a thread that was used since is due again, and one that was not is not looked at twice.
  -- The first for the rule that keeps the latest checkpoint, the second for the number of checkpoints that is kept in any case.
  add column kept_latest_at timestamptz,
  add column trimmed_at     timestamptz,
  add constraint threads_ttl_whole check ((ttl_minutes is null) = (ttl_strategy is null));

-- Each index holds only what is left to do. Time without a zone, because an index takes nothing that depends on the session.
create index threads_own_ttl on threads (((updated_at at time zone 'UTC') + make_interval(secs => ttl_minutes * 60)))
 where not temporary and ttl_minutes is not null and kept_latest_at is distinct from updated_at;
-- For the common rule that keeps the latest checkpoint; the one that deletes finds its threads by updated_at alone.
create index threads_not_kept_latest on threads (updated_at)
 where not temporary and ttl_minutes is null and kept_latest_at is distinct from updated_at;
create index threads_untrimmed on threads (updated_at)
 where not temporary and trimmed_at is distinct from updated_at;
