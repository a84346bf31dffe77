-- The timeline of a run. `timeline` has a JSON document for each attempt that is over. `claimed_at` is when the attempt `claimed_attempt` was
-- claimed. Workers of the previous release set none of them, so `claimed_attempt` may be older than `attempt`.
alter table runs
  add column claimed_at      timestamptz,
  add column claimed_attempt integer,
  add column timeline        text[];

-- What ran since the checkpoint before, as a JSON array. It shows a run that still goes on, and an attempt whose worker died. When an
-- attempt ends, all of its spans are in `runs.timeline`.
alter table checkpoints add column spans text;
