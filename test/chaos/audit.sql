-- The audit of the database. Its order is the order of events: a row takes its number while its writer holds the lock that excludes other
-- writers and claimers. No clocks are compared. The service does not know about the audit.
create table chaos_audit (
  seq     bigint           generated always as identity primary key,
  at      double precision not null default extract(epoch from clock_timestamp()) * 1000,
  app     text             not null default current_setting('application_name'),
  what    text             not null,
  run_id  uuid,
  attempt integer,
  detail  jsonb            not null default '{}'
);

create function chaos_note(what text, run_id uuid, attempt integer, detail jsonb) returns void language sql as $$
  insert into chaos_audit (what, run_id, attempt, detail) values (what, run_id, attempt, detail)
$$;

create function chaos_workers() returns trigger language plpgsql as $$
begin
  perform chaos_note('announced', null, null, jsonb_build_object('worker', new.worker_id));
  return null;
end $$;

create function chaos_runs() returns trigger language plpgsql as $$
begin
  if new.attempt > old.attempt then
    perform chaos_note('claim', new.run_id, new.attempt, jsonb_build_object('worker', new.worker_id, 'crashes', new.crashes, 'holds', new.holds, 'key', new.queue_key));
  elsif old.status = 'running' and new.status = 'pending' then
    perform chaos_note('back', new.run_id, old.attempt, jsonb_build_object('crashes', new.crashes));
  elsif new.status <> old.status then
    perform chaos_note('end', new.run_id, old.attempt, jsonb_build_object('status', new.status));
  end if;
  return null;
end $$;

create function chaos_deleted_runs() returns trigger language plpgsql as $$
begin
  perform chaos_note('end', old.run_id, old.attempt, jsonb_build_object('status', 'deleted'));
  return null;
end $$;

create function chaos_checkpoints() returns trigger language plpgsql as $$
begin
  perform chaos_note('checkpoint', new.run_id, (new.metadata ->> 'run_attempt')::integer,
    jsonb_build_object('ns', new.checkpoint_ns, 'id', new.checkpoint_id, 'step', (new.metadata ->> 'step')::integer));
  return null;
end $$;

create function chaos_writes() returns trigger language plpgsql as $$
declare
  it checkpoint_writes := case when tg_op = 'DELETE' then old else new end;
begin
  perform chaos_note(case when tg_op = 'DELETE' then 'unwrite' else 'write' end, it.run_id, null,
    jsonb_build_object('ns', it.checkpoint_ns, 'id', it.checkpoint_id, 'task', it.task_id, 'idx', it.idx, 'channel', it.channel));
  return null;
end $$;

create function chaos_effects() returns trigger language plpgsql as $$
begin
  perform chaos_note('effect', new.run_id, null, jsonb_build_object('task', new.task_id, 'name', new.name));
  return null;
end $$;

create function chaos_events() returns trigger language plpgsql as $$
begin
  perform chaos_note('event', new.run_id, null, jsonb_build_object('id', new.id, 'event', new.event));
  return null;
end $$;

create trigger chaos after insert or update of lock_key on workers                        for each row execute function chaos_workers();
create trigger chaos after update on runs                                                 for each row execute function chaos_runs();
create trigger chaos_gone after delete on runs                                           for each row when (old.status = 'running') execute function chaos_deleted_runs();
create trigger chaos after insert or update on checkpoints                                for each row execute function chaos_checkpoints();
create trigger chaos after insert or update or delete on checkpoint_writes                for each row execute function chaos_writes();
create trigger chaos after insert or update on effects                                    for each row execute function chaos_effects();
create trigger chaos after insert on run_events                                           for each row execute function chaos_events();
