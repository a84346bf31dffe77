-- Threads that failed or that wait for an answer, which are few among many.
create index concurrently threads_unrested on threads (resting_status, created_at, thread_id) where resting_status <> 'idle' and not temporary;
