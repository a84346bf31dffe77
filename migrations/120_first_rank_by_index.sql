-- Looks for a rank in the future as before, but in the order of the index. Without an order, a session that planned this statement while
-- the table was small read the whole table for each new run until the next analyze.
create or replace function first_rank(graph text) returns double precision language plpgsql stable as $$
declare
  present constant double precision := extract(epoch from now());
begin
  perform from runs where head and not parked and rank is not null and graph_id = graph and rank > present order by rank limit 1;
  if not found then
    return present;
  end if;
  return greatest(present, (select rank + (priority - 3) * 60 from runs
                             where head and not parked and rank is not null and graph_id = graph order by rank, seq limit 1));
end $$;
