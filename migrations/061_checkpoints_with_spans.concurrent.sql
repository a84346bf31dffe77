-- Finds the spans of a run.
create index concurrently checkpoints_with_spans on checkpoints (run_id) where spans is not null;
