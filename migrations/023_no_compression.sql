-- Large states are stored here as they are: Postgres' own compression takes 15 ms for 700 kB of conversation, while the run waits, and saves a
-- fifth. Events go minutes later anyway, and a thread has one state only.
alter table run_events alter column data set storage external;
alter table threads alter column "values" set storage external;
