-- The id of the logged values event that is the run's output, or null. Usually, the last values event is the output. The row then contains
-- no copy of the output.
alter table runs add column output_event integer;
