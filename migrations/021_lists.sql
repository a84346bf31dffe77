-- Long lists, messages above all, are stored once and not again with every version: a blob of the type 'list' holds the items that come
-- after those of the version that it is built on. Whoever deletes blobs keeps what others are built on. LangGraph's own saver reads the type
-- 'json' only; `ensemble export` makes those of all.
alter table checkpoint_blobs add column base text;
