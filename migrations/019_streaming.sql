-- Event streaming numbers the events of a thread across its runs. The number of an event is event_base + 1024 * the id of the logged event
-- + the index of the event that was derived from it. A run gets its base when it is first claimed, and at its end the thread's base is
-- moved past the run's numbers. Numbers thus rise in the order in which the runs were executed. They do not change if events are deleted or
-- another worker takes over.
alter table threads add column event_base bigint not null default 0;
-- Null until the run is first claimed. A run that never started has no logged events.
alter table runs add column event_base bigint;
-- When the event was stored, by the database's clock. Older rows get the time of this migration.
alter table run_events add column at timestamptz not null default now();
