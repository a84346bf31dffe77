-- Runs that are open or did not succeed. Among many runs, they are few. Each status is listed in order.
create index concurrently runs_by_status on runs (status, created_at, seq) where status <> 'success';
