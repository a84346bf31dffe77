-- The version of the graph that ran: a hash of its structure, with the version from langgraph.json if there is one.
alter table runs    add column graph_version text;
alter table threads add column graph_version text;
