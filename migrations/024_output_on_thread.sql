-- True if the run's output is the values of its thread, because the run streamed no values. The row then contains no copy. If another run
-- has changed the thread since, the output is read from the run's last checkpoint.
alter table runs add column output_on_thread boolean not null default false;
-- Outputs that are stored in the row are uncompressed, for the reason in migration 023: compressing takes longer than writing.
alter table runs alter column output set storage external;
