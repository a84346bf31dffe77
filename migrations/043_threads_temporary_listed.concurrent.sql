-- The order in which temporary threads are listed while their run is open.
create index concurrently threads_temporary_listed on threads (created_at, thread_id) where temporary;
