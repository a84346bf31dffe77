-- The order in which threads are listed by their last change, and in which retention looks at them. Temporary threads have an index of
-- their own.
create index concurrently threads_lasting_by_age on threads (updated_at, thread_id) where not temporary;
