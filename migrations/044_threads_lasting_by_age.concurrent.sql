-- The order in which threads are listed by their last change, and in which retention checks them. Temporary threads are left out, because
-- they have another index.
create index concurrently threads_lasting_by_age on threads (updated_at, thread_id) where not temporary;
