-- The host of a run's webhook, as a URL parser reads it. It is written when the run is created. SQL could only compare the text of the URL,
-- and would treat ten spellings of one receiver as ten receivers.
alter table runs add column webhook_host text;

-- Empty for paths of our own app, and in rows that the previous release stores.
alter table webhooks alter column host drop expression, alter column host set default '';
