-- A run that streamed no values comes to what its thread shows: then its row says so, and holds not the same once more. Another run of the
-- thread changes that; the run's last checkpoint still knows.
alter table runs add column output_on_thread boolean not null default false;
-- What is stored nevertheless is kept as it is, as in 023: compressing it takes longer than writing it.
alter table runs alter column output set storage external;
