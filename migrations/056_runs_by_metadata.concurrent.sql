-- Finds runs by their metadata.
create index concurrently runs_by_metadata on runs using gin (searchable(metadata) jsonb_path_ops);
