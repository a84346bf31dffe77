-- What a run's clients see, in order. data is text, not json: it was made by JSON.stringify, and checking it again costs more than
-- storing it. Ids start at 0 and have no gaps; a later attempt goes on where the one before it stopped.
create table run_events (
  run_id uuid    not null references runs on delete cascade,
  id     integer not null check (id >= 0),
  event  text    not null,
  data   text    not null,
  primary key (run_id, id)
);
