-- The version of the graph that was executed: a hash of its structure, and the version from langgraph.json if there is one.
alter table runs    add column graph_version text;
alter table threads add column graph_version text;
