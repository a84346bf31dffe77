-- While this table has a row, no run is claimed, and each running run returns to the queue at its next step.
create table halts (
  only_one  boolean     primary key default true check (only_one),
  halted_at timestamptz not null default now()
);
