-- The timeline of a run. `timeline` has a JSON document for each attempt that has ended. `claimed_at` is the time when the attempt
-- `claimed_attempt` was claimed. Workers of the previous release set none of these columns, so `claimed_attempt` may be older than
-- `attempt`.
alter table runs
  add column claimed_at      timestamptz,
  add column claimed_attempt integer,
  add column timeline        text[];

-- The spans since the previous checkpoint, as a JSON array. They show the progress of a running attempt, and of an attempt whose worker
-- died. When an attempt ends, all of its spans are stored in `runs.timeline`.
alter table checkpoints add column spans text;
