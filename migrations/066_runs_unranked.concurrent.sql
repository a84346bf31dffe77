-- The runs whose place in the queue is their due time: delayed runs, and runs of the previous release.
create index concurrently runs_unranked on runs (graph_id, run_at, seq) where head and rank is null;
