-- Threads that wait for an answer, in the order in which they began to wait.
create index concurrently threads_asking on threads (state_updated_at, thread_id) where resting_status = 'interrupted' and not temporary;
