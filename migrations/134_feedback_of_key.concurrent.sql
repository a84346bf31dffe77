-- Serves a search of feedback by its key, the newest first.
create index concurrently feedback_of_key on feedback (key, given_at, run_id) where given_at is not null;
