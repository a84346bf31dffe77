-- Which graph a run needs. Workers claim only runs of graphs that they have.
alter table runs add column graph_id text;

-- What a run was asked to do names its graph. A document with a NUL cannot be read that way: then the assistant says.
create function graph_of_run(kwargs json, assistant uuid) returns text language plpgsql stable as $$
begin
  return coalesce(kwargs -> 'config' -> 'configurable' ->> 'graph_id', (select graph_id from assistants where assistant_id = assistant));
exception when others then
  return (select graph_id from assistants where assistant_id = assistant);
end $$;

-- Runs that can still be claimed. Those that ended are filled in afterwards, in batches.
update runs set graph_id = graph_of_run(kwargs, assistant_id) where status in ('pending', 'running');

-- The graphs that a worker has. Null for workers of the previous release, which claim runs of any graph.
alter table workers add column graphs text[];

-- Graphs that due runs need and no live worker has, and since when that is so.
create table absent_graphs (
  graph_id text        primary key,
  since    timestamptz not null default now()
);
