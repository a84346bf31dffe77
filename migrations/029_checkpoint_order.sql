-- The order in which checkpoints were stored. Checkpoint ids do not give this order, because an id contains the time of its process's
-- clock, and clocks differ. The column is added without a default, so that no row is rewritten. Older rows have no number, and sort before
-- all others. Afterwards a default is set, which numbers every new row, including rows of LangGraph's own saver and of workers of the
-- previous release.
create sequence checkpoint_order as bigint;
alter table checkpoints add column seq bigint;
alter table checkpoints alter column seq set default nextval('checkpoint_order');
alter sequence checkpoint_order owned by checkpoints.seq;
