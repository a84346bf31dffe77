-- Who asked for a run, as auth described them; graphs read it from the configurable. Beside kwargs and not in them, because those are
-- shown to whoever may see the run.
alter table runs add column auth_user json;

-- Who made a cron: its runs are this user's, and there is a bound a user.
alter table crons add column auth_user json;
alter table crons add column user_id text;
create index crons_of_user on crons (user_id);
