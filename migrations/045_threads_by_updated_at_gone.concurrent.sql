-- Two partial indexes have replaced this index. Each thread is in one of the two.
drop index concurrently if exists threads_by_updated_at;
