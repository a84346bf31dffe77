-- Threads that failed or that wait for an answer. They are a small part of all threads.
create index concurrently threads_unrested on threads (resting_status, created_at, thread_id) where resting_status <> 'idle' and not temporary;
