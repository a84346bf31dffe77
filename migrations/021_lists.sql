-- Long lists, such as messages, are stored once and not again with every version. A blob of the type 'list' holds the items that follow
-- those of its base version. Code that deletes blobs must keep the bases of others. LangGraph's own saver only reads the type 'json', to
-- which `ensemble export` converts all lists.
alter table checkpoint_blobs add column base text;
