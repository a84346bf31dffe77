-- What a node did outside, and must not do again when its task is tried again. The name is the node's own; task ids are LangGraph's,
-- the same in every attempt as long as checkpoints are stored in step.
create table effects (
  run_id  uuid not null references runs on delete cascade,
  task_id text not null,
  name    text not null,
  result  text not null,
  primary key (run_id, task_id, name)
);
