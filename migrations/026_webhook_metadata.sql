-- The metadata that decides who may see a webhook. It is a separate column, because -> fails on a json document (run) that contains a NUL
-- anywhere. Null in rows of the previous release.
alter table webhooks add column metadata json;
