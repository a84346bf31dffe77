-- Facts about a worker that operators see. Null for workers of the previous release, which do not report them.
alter table workers
  add column slots   integer,
  add column version text;
