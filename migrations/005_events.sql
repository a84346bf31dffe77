-- The events of runs, in the order in which clients see them. data is text and not json. JSON.stringify has produced it, and validating it
-- again costs more than storing it. Ids start at 0 and have no gaps. A later attempt continues the numbers of the previous one.
create table run_events (
  run_id uuid    not null references runs on delete cascade,
  id     integer not null check (id >= 0),
  event  text    not null,
  data   text    not null,
  primary key (run_id, id)
);
