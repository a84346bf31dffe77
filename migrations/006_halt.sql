-- While a row exists, no run is claimed, and running ones return to the queue at their next step.
create table halts (
  only_one  boolean     primary key default true check (only_one),
  halted_at timestamptz not null default now()
);
