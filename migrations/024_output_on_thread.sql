-- The output of a run that streamed no values is its thread's values. Then the row refers to them instead of a second copy. When another
-- run changes the thread, the output is read from the run's last checkpoint.
alter table runs add column output_on_thread boolean not null default false;
-- Outputs that are stored nevertheless are uncompressed, as in 023, because compressing takes longer than writing.
alter table runs alter column output set storage external;
