-- The graph that a run needs. Workers claim only runs of graphs that they have.
alter table runs add column graph_id text;

-- Returns the graph that a run's kwargs name, or else the graph of its assistant. kwargs that contain a NUL cannot be parsed, so the
-- assistant's graph is returned for them.
create function graph_of_run(kwargs json, assistant uuid) returns text language plpgsql stable as $$
begin
  return coalesce(kwargs -> 'config' -> 'configurable' ->> 'graph_id', (select graph_id from assistants where assistant_id = assistant));
exception when others then
  return (select graph_id from assistants where assistant_id = assistant);
end $$;

-- Fills in the graph of runs that can still be claimed. Migration 033 fills in the ended runs in batches.
update runs set graph_id = graph_of_run(kwargs, assistant_id) where status in ('pending', 'running');

-- The graphs that a worker has. Null for workers of the previous release, which claim runs of any graph.
alter table workers add column graphs text[];

-- The graphs that due runs need but no live worker has, with the time since when each has been missing.
create table absent_graphs (
  graph_id text        primary key,
  since    timestamptz not null default now()
);
