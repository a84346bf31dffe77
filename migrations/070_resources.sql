-- Resources that the runs of all workers share. A pool has units, which a node holds while it uses them. A rate has tokens, which a node
-- spends. The tokens of a rate refill evenly, so they are computed from `tokens`, the number at the time `filled_at`.
create type resource_kind as enum ('pool', 'rate');

create table resources (
  name        text             primary key,
  kind        resource_kind    not null,
  capacity    integer          not null check (capacity >= 1),
  -- The seconds in which an empty rate refills to its capacity.
  per_seconds integer          check (per_seconds >= 1),
  tokens      double precision,
  filled_at   timestamptz,
  -- True if an operator has replaced the limit of langgraph.json.
  overridden  boolean          not null default false,
  -- How many requests had to wait for the resource.
  contention  bigint           not null default 0,

  check ((kind = 'rate') = (per_seconds is not null)),
  check ((kind = 'rate') = (tokens is not null and filled_at is not null))
);

create type grant_state as enum ('waiting', 'held', 'deadlocked');

-- Requests for resources. A request for several resources has one row for each, and all of them have the same state. A row counts only
-- while its attempt runs: its run is running and has the row's attempt number. Whichever process ends, releases or takes over the run thus
-- frees what the run held, even a process of the previous release. There is no foreign key to runs, so that deleting runs costs nothing.
create table grants (
  holder   uuid        not null,
  resource text        not null references resources,
  amount   integer     not null check (amount >= 1),
  run_id   uuid        not null,
  attempt  integer     not null,
  priority smallint    not null check (priority between 1 and 5),
  state    grant_state not null default 'waiting',
  since    timestamptz not null default now(),
  -- When a waiting request gives up.
  until    timestamptz not null,
  -- The requests inside which this one was made. They free nothing until this one has ended.
  inside   uuid[]      not null default '{}',
  -- True if the request is served before all others, because they wait for what its run holds.
  passes   boolean     not null default false,

  primary key (holder, resource)
);

create index grants_of_resource on grants (resource, state);

-- The requests that count. Each run is looked up by its primary key. A join might scan all running runs for each request, as long as the
-- database has no statistics about them.
create view valid_grants as
select holder, resource, amount, run_id, attempt, priority, state, since, until, inside, passes
  from grants g
 where (select status = 'running' and attempt = g.attempt from runs where runs.run_id = g.run_id)
   and (state <> 'waiting' or until > now());

create function tokens_now(r resources) returns double precision language sql volatile as $$
  select least(r.capacity, r.tokens + greatest(0, extract(epoch from clock_timestamp() - r.filled_at)) * r.capacity / r.per_seconds)
$$;

-- Returns what is free of these resources. A pool whose capacity was lowered may have less than nothing.
create function resource_room(names text[]) returns table (name text, free double precision) language sql stable as $$
  select r.name, case when kind = 'rate' then tokens_now(r) else capacity - coalesce(held, 0) end
    from resources r
    left join (select resource, sum(amount) as held from valid_grants where state = 'held' and resource = any(names) group by resource) h
      on h.resource = r.name
   where r.name = any(names)
$$;

-- Returns the waiting requests for these resources. `needed` is the amount of a request and of all requests that come before it. A request
-- gains one priority a minute, so its place among the others never changes. Requests that no longer fit into the capacity are left out.
create function resource_queue(names text[])
  returns table (holder uuid, resource text, free double precision, needed bigint) language sql stable as $$
  with room as materialized (select * from resource_room(names))
  select w.holder, w.resource, room.free,
         sum(w.amount) over (partition by w.resource order by w.passes desc, w.since - make_interval(mins => w.priority), w.holder)
    from valid_grants w join room on room.name = w.resource
   where w.state = 'waiting'
     and w.holder <> all (array(select o.holder from grants o join resources r on r.name = o.resource
                                 where o.state = 'waiting' and o.amount > r.capacity))
$$;

-- Locks these resources, and the other resources of the requests that wait for them. Returns the names of all of them. The order of the
-- names prevents deadlocks, so a transaction calls this only once. Every function that changes the state of a request holds the locks of
-- its resources. Grants are thus decided by one process at a time for each resource.
create function lock_resources(names text[]) returns text[] language plpgsql as $$
declare
  locked text[];
begin
  select array_agg(distinct resource) into locked from grants
   where state = 'waiting' and holder in (select holder from grants where state = 'waiting' and resource = any(names));
  locked := locked || names;
  perform 1 from resources where name = any(locked) order by name for no key update;
  return locked;
end $$;

-- Grants what can be granted to the requests that wait for these resources, and returns the number of requests that were served. A request
-- gets all of its resources or none. It is not overtaken: a later request does not get units that an earlier one needs. The caller holds
-- the locks of the resources. The statements of this function see everything that was committed before they began.
create function serve_locked(locked text[]) returns integer language plpgsql as $$
declare
  served integer;
begin
  if not exists (select from grants where state = 'waiting' and resource = any(locked))
     or not exists (select from resource_room(locked) where free >= 1) then
    return 0;
  end if;
  with fitting as (
    select q.holder from resource_queue(locked) q group by q.holder
    having bool_and(needed <= free)
       and not exists (select from grants o where o.holder = q.holder and resource <> all(locked))),
  granted as (
    update grants set state = 'held' from fitting
     where grants.holder = fitting.holder and state = 'waiting'
    returning grants.holder, resource, amount),
  paid as (
    update resources r set tokens = tokens_now(r) - spent, filled_at = greatest(filled_at, clock_timestamp())
      from (select resource, sum(amount) as spent from granted group by resource) s
     where r.name = s.resource and kind = 'rate')
  select count(distinct holder) into served from granted;
  return served;
end $$;

-- Serves the requests that wait for these resources, and returns their number.
create function serve_resources(names text[]) returns integer language plpgsql as $$
begin
  return serve_locked(lock_resources(names));
end $$;

-- Makes a request, and returns what became of it:
-- - held: it has all of its resources.
-- - waiting: it waits in the queue.
-- - busy: it would have to wait, but `wait_seconds` is 0.
-- - impossible: a resource does not exist, or has a smaller capacity.
-- - lost: the attempt has lost its right to write.
create function take_resources(
  the_holder uuid, the_run uuid, the_attempt integer, names text[], amounts integer[], the_priority integer,
  wait_seconds double precision, enclosing uuid[]
) returns text language plpgsql as $$
begin
  perform 1 from runs where run_id = the_run and attempt = the_attempt and status = 'running' for share;
  if not found then
    return 'lost';
  end if;
  if exists (select from unnest(names, amounts) as asked (name, amount) left join resources r using (name)
              where r.name is null or asked.amount > r.capacity) then
    return 'impossible';
  end if;
  insert into grants (holder, resource, amount, run_id, attempt, priority, since, until, inside)
  select the_holder, name, amount, the_run, the_attempt, the_priority, clock_timestamp(),
         clock_timestamp() + make_interval(secs => greatest(wait_seconds, 1)), enclosing
    from unnest(names, amounts) as asked (name, amount) order by name;
  perform serve_resources(names);
  if exists (select from grants where holder = the_holder and state = 'held') then
    return 'held';
  end if;
  if wait_seconds = 0 then
    delete from grants where holder = the_holder;
    return 'busy';
  end if;
  update resources r set contention = contention + 1
    from resource_room(names) room
   where r.name = room.name
     and free < (select sum(o.amount) from grants g join grants o on o.resource = g.resource and o.state = 'waiting'
                  where g.holder = the_holder and g.resource = r.name
                    and o.since - make_interval(mins => o.priority) <= g.since - make_interval(mins => g.priority));
  return 'waiting';
end $$;

-- Ends a request, and serves those that waited for it. With `only_waiting`, a request that already holds its resources keeps them. Returns
-- whether the request was ended, and how many others were served.
create function leave_resources(the_holder uuid, only_waiting boolean, out ended boolean, out served integer) language plpgsql as $$
declare
  locked text[];
begin
  locked := lock_resources((select coalesce(array_agg(resource), '{}') from grants where holder = the_holder));
  delete from grants where holder = the_holder and (not only_waiting or state <> 'held');
  ended := found;
  served := case when ended then serve_locked(locked) else 0 end;
end $$;
