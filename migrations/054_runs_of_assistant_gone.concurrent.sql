-- The index of the previous migration has replaced this one, because it begins with the same column.
drop index concurrently if exists runs_of_assistant;
