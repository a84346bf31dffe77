-- Stored results of side effects, which must not be repeated when a task is retried. The node chooses the name. LangGraph chooses the task
-- ids, which are the same in every attempt if checkpoints are stored synchronously.
create table effects (
  run_id  uuid not null references runs on delete cascade,
  task_id text not null,
  name    text not null,
  result  text not null,
  primary key (run_id, task_id, name)
);
