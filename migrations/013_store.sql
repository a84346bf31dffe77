-- Items of LangGraph's store, which graphs share across threads. A namespace is a path. It is sorted by bytes, so that all items under a
-- path are neighbours in the index.
create table store_items (
  namespace  text[] collate "C" not null check (cardinality(namespace) > 0),
  key        text               not null,
  value      json               not null,
  created_at timestamptz        not null default now(),
  updated_at timestamptz        not null default now(),
  primary key (namespace, key)
);
