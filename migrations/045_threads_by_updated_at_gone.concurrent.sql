-- Drops an index that two partial indexes have replaced. Each thread is in one of the two.
drop index concurrently if exists threads_by_updated_at;
