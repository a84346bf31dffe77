-- Large states are stored uncompressed. Postgres' own compression takes 15 ms for 700 kB of conversation, while the run waits, and saves
-- only a fifth. Events are deleted minutes later anyway, and a thread has only one state.
alter table run_events alter column data set storage external;
alter table threads alter column "values" set storage external;
