-- The order in which threads are listed. Temporary ones, which lists hide, are not in the way.
create index concurrently threads_listed on threads (created_at, thread_id) where not temporary;
