-- The order in which the runs of one assistant are listed.
create index concurrently runs_of_assistant_listed on runs (assistant_id, created_at, seq);
