-- Event streaming numbers what happened on a thread across its runs: number = event_base + 1024 * id of the run's logged event + which
-- of the events that are told for it. A run is given its base with its first claim, and its end moves the thread's base past it, so
-- numbers rise in the order in which runs ran, and stay what they are when events are swept or another worker takes over.
alter table threads add column event_base bigint not null default 0;
-- Null until the run is first claimed: one that never started has no events.
alter table runs add column event_base bigint;
-- The database's clock, at which the event was stored. Rows of before get the time of this migration.
alter table run_events add column at timestamptz not null default now();
