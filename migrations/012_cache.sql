-- Results of nodes that have a cache policy. The scope is the graph and its version, because other code may compute other results. The
-- namespace is LangGraph's, as JSON. An entry may be deleted at any time, and its result is then computed again.
create table cache_entries (
  scope      text        not null,
  namespace  text        not null,
  key        text        not null,
  type       text        not null,
  value      bytea       not null,
  expires_at timestamptz not null,
  primary key (scope, namespace, key)
);

create index cache_entries_by_expiry on cache_entries (expires_at);
