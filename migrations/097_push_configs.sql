-- The addresses to which clients of the Agent2Agent protocol want news of a task. A task is known by its first run.
create table push_configs (
  -- The reference is checked at the commit, because a config that comes with a message is stored before the message's run.
  task_id     uuid        not null references runs on delete cascade deferrable initially deferred,
  config_id   text        not null,
  url         text        not null,
  host        text        not null,
  -- What the receiver uses to recognise the sender. It is sent in a header.
  token       text        not null,
  -- The scheme and the credentials of the header Authorization. Both are empty if the receiver needs none.
  scheme      text        not null,
  credentials text        not null,
  -- The version of the protocol in which the client asked, and in which the notifications are written.
  version     text        not null check (version in ('1.0', '0.3')),
  created_at  timestamptz not null default now(),

  primary key (task_id, config_id)
);

-- True if the run belongs to a task with push configs. It spares all other runs the trigger below.
alter table runs add column notifies boolean not null default false;

-- What a push notification says, and how its receiver recognises the sender. Null for the webhook of a run. The run_id of a push
-- notification is the id of the delivery, because a run can have several.
alter table webhooks add column push json;

-- Stores a delivery for each push config of a task when a run of the task ends. The trigger is part of the statement that ends the run, in
-- whichever release.
create function store_push_notifications() returns trigger language plpgsql as $$
begin
  insert into webhooks (run_id, thread_id, url, host, metadata, run, push)
  select gen_random_uuid(), new.thread_id, url, host, new.metadata,
         json_build_object('run_id', new.run_id, 'thread_id', new.thread_id, 'assistant_id', new.assistant_id, 'metadata', new.metadata,
                           'status', new.status, 'created_at', new.created_at, 'updated_at', new.updated_at,
                           'run_started_at', new.started_at, 'run_ended_at', new.ended_at, 'values', null, 'error', new.error),
         json_build_object('run_id', new.run_id, 'task_id', task_id, 'version', version, 'token', token, 'scheme', scheme, 'credentials', credentials,
                           'state', case when new.status = 'success' and resting_status = 'interrupted' then 'input-required'
                                         when new.status = 'success' then 'completed'
                                         when new.status = 'interrupted' then 'canceled'
                                         else 'failed' end)
    from push_configs join threads on thread_id = new.thread_id
   where task_id = coalesce(new.task_id, new.run_id);
  return null;
end $$;

create trigger runs_push_end after update on runs for each row
  when (new.notifies and new.ended_at is not null and old.ended_at is null)
  execute function store_push_notifications();

-- The letter of a push notification that could not be delivered names the run that ended.
create or replace view letter_rows as
select letter_id, kind, run_id, thread_id, cron_id, graph_id, assistant_id, node, item, error, attempts, first_at, last_at, state, by, owner,
       metadata, redrive_run_id, redrive_thread_id
  from dead_letters
 union all
select run_id, 'webhook', coalesce((push ->> 'run_id')::uuid, run_id), thread_id, null, searchable(metadata) ->> 'graph_id', null, null, url,
       json_build_object('error', 'WebhookError', 'message', error), greatest(attempts, 1), created_at, coalesce(settled_at, redriven_at, created_at),
       case when status = 'pending' then 'redriving' when status = 'delivered' then 'redriven'
            when discarded_at is not null then 'discarded' else 'dead' end::letter_state,
       handled_by, null, coalesce(metadata, (searchable(run) -> 'metadata')::json, '{}'), null, null
  from webhooks
 where status = 'dead' or redriven_at is not null;
