-- The user who created a run, as auth described them. Graphs read it from the configurable. It is not in kwargs, because those are visible
-- to every user who may see the run.
alter table runs add column auth_user json;

-- The user who created a cron. Its runs belong to this user, and each user has a limit of crons.
alter table crons add column auth_user json;
alter table crons add column user_id text;
create index crons_of_user on crons (user_id);
