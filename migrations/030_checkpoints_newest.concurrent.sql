-- The newest checkpoint of a namespace, and the history from there on.
create index concurrently checkpoints_newest on checkpoints (thread_id, checkpoint_ns, seq desc nulls last, checkpoint_id desc);
