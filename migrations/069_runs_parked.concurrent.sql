-- The runs that wait because their key has reached a limit.
create index concurrently runs_parked on runs (queue_key, rank, seq) where head and parked;
