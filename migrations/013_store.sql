-- What graphs remember across threads: LangGraph's store. A namespace is a path; its collation is that of bytes, in which everything
-- under a path stands together in the index.
create table store_items (
  namespace  text[] collate "C" not null check (cardinality(namespace) > 0),
  key        text               not null,
  value      json               not null,
  created_at timestamptz        not null default now(),
  updated_at timestamptz        not null default now(),
  primary key (namespace, key)
);
