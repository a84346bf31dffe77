-- The head of a thread is the run that is claimed next. A thread without a running run has one head: the pending run with the smallest
-- (run_at, seq). Claims read only heads, so a thread with 30,000 pending runs costs a claim no more than a thread with one.
alter table runs
  add column head boolean not null default false,
  add constraint runs_head_pending check (not head or status = 'pending');

create unique index runs_one_head_a_thread on runs (thread_id) where head;
create index runs_heads on runs (graph_id, run_at, seq) where head;
create index runs_cancelled_heads on runs (run_at, seq) where head and cancel is not null;

-- Triggers maintain the head, because workers of the previous release change runs too. The triggers lock the thread's row first. Runs of
-- one thread are thus created, ended, released, cancelled and deleted one after another.
create function settle_head(thread uuid) returns void language plpgsql as $$
declare
  first uuid;
begin
  perform 1 from threads where thread_id = thread for no key update;
  if not exists (select from runs where thread_id = thread and status = 'pending') then
    return;
  end if;
  if not exists (select from runs where thread_id = thread and status = 'running') then
    select run_id into first from runs where thread_id = thread and status = 'pending' order by run_at, seq limit 1;
  end if;
  update runs set head = false where thread_id = thread and head and run_id is distinct from first;
  update runs set head = true where run_id = first and not head;
end $$;

-- Makes the first run of a thread its head when it is inserted. It also fills in the graph if the previous release inserts a run.
create function place_new_run() returns trigger language plpgsql as $$
begin
  new.graph_id := coalesce(new.graph_id, graph_of_run(new.kwargs, new.assistant_id));
  new.head := new.status = 'pending'
    and not exists (select from runs where thread_id = new.thread_id and (head or status = 'running'));
  return new;
end $$;

create trigger runs_place_new before insert on runs for each row execute function place_new_run();

-- Makes a new run the head if it is due before the current head, which may be a delayed run.
create function settle_head_before() returns trigger language plpgsql as $$
begin
  if exists (select from runs where thread_id = new.thread_id and head and (run_at, seq) > (new.run_at, new.seq)) then
    perform settle_head(new.thread_id);
  end if;
  return null;
end $$;

create trigger runs_settle_after_insert after insert on runs for each row when (not new.head and new.status = 'pending')
  execute function settle_head_before();

create function leave_queue() returns trigger language plpgsql as $$
begin
  new.head := false;
  return new;
end $$;

create trigger runs_leave_queue before update on runs for each row when (new.head and new.status <> 'pending')
  execute function leave_queue();

create function settle_head_after() returns trigger language plpgsql as $$
begin
  perform settle_head(old.thread_id);
  return null;
end $$;

-- When a run starts, its thread has no head, so this trigger does not fire for it.
create trigger runs_settle_after_update after update on runs for each row
  when (new.status <> 'running' and (old.status, old.run_at) is distinct from (new.status, new.run_at))
  execute function settle_head_after();

create trigger runs_settle_after_delete after delete on runs for each row when (old.head or old.status = 'running')
  execute function settle_head_after();

update runs set head = true
 where run_id in (select distinct on (thread_id) run_id from runs r
                   where status = 'pending' and not exists (select from runs busy where busy.thread_id = r.thread_id and busy.status = 'running')
                   order by thread_id, run_at, seq);
