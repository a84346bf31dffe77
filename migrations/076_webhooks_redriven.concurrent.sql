-- Finds the webhooks that were redriven, which the view `letter_rows` shows with the dead ones.
create index concurrently webhooks_redriven on webhooks (redriven_at) where redriven_at is not null;
