-- By whose metadata a webhook is visible. A column beside run, because -> fails on a json document that holds a NUL anywhere. Null where the
-- release before this one stored it.
alter table webhooks add column metadata json;
