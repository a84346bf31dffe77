-- The items of a long list, such as messages, are stored once, and not again with every version. A blob of the type 'list' contains only
-- the items that follow those of its base version. Code that deletes blobs must keep blobs that are the base of another one. LangGraph's
-- own saver cannot read the type 'list'. `ensemble export` converts it to the type 'json'.
alter table checkpoint_blobs add column base text;
