-- The order in which runs are listed by their last change.
create index concurrently runs_by_update on runs (updated_at, seq);
