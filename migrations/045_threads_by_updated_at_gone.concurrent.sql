-- Two partial indexes replace this one, so that each thread is in one of them.
drop index concurrently if exists threads_by_updated_at;
