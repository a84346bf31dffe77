-- Event streaming numbers the events of a thread across its runs: number = event_base + 1024 * id of the run's logged event + index of the
-- event derived from it. A run gets its base with its first claim, and its end moves the thread's base past it. So numbers rise in the
-- order in which runs ran, and do not change when events are swept or another worker takes over.
alter table threads add column event_base bigint not null default 0;
-- Null until the run is first claimed. A run that never started has no events.
alter table runs add column event_base bigint;
-- The time of storing, by the database's clock. Older rows get the time of this migration.
alter table run_events add column at timestamptz not null default now();
