-- What a run came to is, more often than not, the last values event that it logged: then the row says which, and not once more what.
alter table runs add column output_event integer;
