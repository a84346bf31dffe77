-- The host of a run's webhook as a URL parser reads it, written when the run is made. An expression over the URL's text took ten spellings of
-- one receiver for ten receivers.
alter table runs add column webhook_host text;

-- Empty, too, where the release before this one stores it.
alter table webhooks alter column host drop expression, alter column host set default '';
