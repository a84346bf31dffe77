-- Tells whether a key has waiting runs, and counts them.
create index concurrently runs_waiting_of_key on runs (queue_key) where status = 'pending' and queue_key is not null;
