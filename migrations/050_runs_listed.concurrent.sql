-- The order in which runs are listed over all threads.
create index concurrently runs_listed on runs (created_at, seq);
