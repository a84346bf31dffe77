-- The host of a run's webhook as a URL parser reads it, written when the run is created. An expression over the URL's text treated ten
-- spellings of one receiver as ten receivers.
alter table runs add column webhook_host text;

-- Also empty in rows that the previous release stores.
alter table webhooks alter column host drop expression, alter column host set default '';
