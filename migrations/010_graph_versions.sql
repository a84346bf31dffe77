-- Which version of the code wrote: a hash of the graph's structure, with the version that langgraph.json may give it.
alter table runs    add column graph_version text;
alter table threads add column graph_version text;
