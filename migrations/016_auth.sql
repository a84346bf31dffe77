-- The user who created a run, in the form that auth returned. Graphs read it from `configurable`. It is not part of kwargs, because every
-- user who may see the run can see its kwargs.
alter table runs add column auth_user json;

-- The user who created a cron. The cron's runs belong to this user, and the number of crons per user is limited.
alter table crons add column auth_user json;
alter table crons add column user_id text;
create index crons_of_user on crons (user_id);
