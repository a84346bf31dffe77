-- Finds the newest checkpoint of a namespace, and the checkpoints before it.
create index concurrently checkpoints_newest on checkpoints (thread_id, checkpoint_ns, seq desc nulls last, checkpoint_id desc);
