-- Temporary threads by age, in an order in which a sweep can stop and continue later.
create index concurrently threads_temporary_by_age on threads (updated_at, thread_id) where temporary;
