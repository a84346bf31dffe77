-- Runs that are open or did not succeed. They are a small part of all runs. Each status is listed in order.
create index concurrently runs_by_status on runs (status, created_at, seq) where status <> 'success';
