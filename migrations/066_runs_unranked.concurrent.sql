-- The runs whose place in the queue is their due time: delayed runs, and runs that are older than the order of the queue.
create index concurrently runs_unranked on runs (run_at, seq) where head and rank is null;
