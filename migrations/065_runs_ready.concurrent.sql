-- The runs that can be claimed, in the order of claims.
create index concurrently runs_ready on runs (graph_id, rank, seq) where head and not parked and rank is not null;
