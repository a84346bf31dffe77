-- The URL that is called when an alert opens or closes, and its host. The worker that stores a check of the alert writes both. Null if the
-- worker's project names no URL.
alter table alerts add column webhook text, add column webhook_host text;

-- The name of the alert that a delivery reports. Null for the webhook of a run and for a push notification. The run_id of such a delivery
-- is the id of the delivery, because a run can open several alerts.
alter table webhooks add column alert text;

-- Stores a delivery for an alert that has opened or closed. The row of the alert is locked while it changes, so each change is stored once,
-- whichever processes notice it. Between two checks, an alert may open and close. Such an alert gets both deliveries.
create function store_alert_webhooks() returns trigger language plpgsql as $$
declare
  was_active boolean := tg_op = 'UPDATE' and old.is_active;
  is_crossed boolean := tg_op = 'INSERT' or new.crossings > old.crossings;
begin
  insert into webhooks (run_id, thread_id, url, host, metadata, alert, run)
  select gen_random_uuid(), coalesce((select thread_id from runs where runs.run_id = new.run_id), '00000000-0000-0000-0000-000000000000'),
         new.webhook, new.webhook_host, json_build_object('graph_id', new.graph_id), new.alert,
         json_build_object('type', change, 'graph', new.graph_id, 'alert', new.alert, 'active', change = 'alert.opened', 'value', new.value,
                           'threshold', new.threshold, 'run_id', new.run_id, 'crossings', new.crossings, 'crossed_at', new.crossed_at,
                           'changed_at', clock_timestamp())
    from (values ('alert.opened', not was_active and is_crossed),
                 ('alert.closed', not new.is_active and (was_active or is_crossed))) as changes (change, has_happened)
   where has_happened;
  return null;
end $$;

create trigger alerts_note_change after insert or update on alerts for each row
  when (new.webhook is not null)
  execute function store_alert_webhooks();

-- The letter of a delivery about an alert names the run that has crossed the threshold.
create or replace view letter_rows as
select letter_id, kind, run_id, thread_id, cron_id, graph_id, assistant_id, node, item, error, attempts, first_at, last_at, state, by, owner,
       metadata, redrive_run_id, redrive_thread_id
  from dead_letters
 union all
select run_id, 'webhook',
       coalesce((push ->> 'run_id')::uuid, case when alert is not null then (run ->> 'run_id')::uuid end, run_id),
       thread_id, null, searchable(metadata) ->> 'graph_id', null, null, url,
       json_build_object('error', 'WebhookError', 'message', error), greatest(attempts, 1), created_at, coalesce(settled_at, redriven_at, created_at),
       case when status = 'pending' then 'redriving' when status = 'delivered' then 'redriven'
            when discarded_at is not null then 'discarded' else 'dead' end::letter_state,
       handled_by, null, coalesce(metadata, (searchable(run) -> 'metadata')::json, '{}'), null, null
  from webhooks
 where status = 'dead' or redriven_at is not null;
