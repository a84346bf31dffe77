-- Threads that failed or that wait for an answer. Among many threads, they are few.
create index concurrently threads_unrested on threads (resting_status, created_at, thread_id) where resting_status <> 'idle' and not temporary;
