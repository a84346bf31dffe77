-- The id of the logged values event that is the run's output, or null. Usually the last values event is the output. The row then has no
-- copy of it.
alter table runs add column output_event integer;
