-- The output of a run is usually the last values event that it logged. Then the row names the event instead of a second copy.
alter table runs add column output_event integer;
