-- The order in which threads are listed. Temporary threads are left out, because lists hide them.
create index concurrently threads_listed on threads (created_at, thread_id) where not temporary;
