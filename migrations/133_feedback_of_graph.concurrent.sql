-- Serves a search of feedback by its run's graph, the newest first.
create index concurrently feedback_of_graph on feedback (graph_id, given_at, run_id) where given_at is not null;
