-- Serves a search of feedback by its run's assistant, the newest first.
create index concurrently feedback_of_assistant on feedback (assistant_id, given_at, run_id) where given_at is not null;
