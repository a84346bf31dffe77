-- Drops an index that the index of migration 053 has replaced, because both begin with the same column.
drop index concurrently if exists runs_of_assistant;
