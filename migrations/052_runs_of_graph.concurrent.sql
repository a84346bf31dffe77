-- The order in which the runs of one graph are listed.
create index concurrently runs_of_graph on runs (graph_id, created_at, seq);
