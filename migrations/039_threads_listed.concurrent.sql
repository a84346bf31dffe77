-- The order in which threads are listed, without temporary ones, which lists hide.
create index concurrently threads_listed on threads (created_at, thread_id) where not temporary;
