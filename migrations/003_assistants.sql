create table assistants (
  assistant_id uuid        primary key,
  graph_id     text        not null,
  version      integer     not null default 1 check (version >= 1),
  name         text        not null,
  description  text,
  config       json        not null default '{}',
  context      json        not null default '{}',
  metadata     json        not null default '{}',
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);

create index assistants_by_metadata on assistants using gin (searchable(metadata) jsonb_path_ops);
create index assistants_by_graph on assistants (graph_id);

-- Every version of each assistant. Runs use the version in the table assistants.
create table assistant_versions (
  assistant_id uuid        not null references assistants on delete cascade,
  version      integer     not null check (version >= 1),
  graph_id     text        not null,
  name         text        not null,
  description  text,
  config       json        not null,
  context      json        not null,
  metadata     json        not null,
  created_at   timestamptz not null default now(),
  primary key (assistant_id, version)
);
