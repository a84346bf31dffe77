-- Finds the next deliveries of each receiver.
create index concurrently webhooks_by_host on webhooks (host, due_at) where status = 'pending';
