-- For a run that answers a question: the run that began the task. Null for a run that answers no question, and in rows of the previous
-- release. Clients of the Agent2Agent protocol see all runs of a task as one task.
alter table runs add column task_id uuid;

-- True if the run ended with a question. The output tells it too, but the output is deleted together with the events.
alter table runs add column asked boolean not null default false;
