-- The answers within a task, so that the newest run of a task is found at once.
create index concurrently runs_of_task on runs (task_id, seq) where task_id is not null;
