-- The API limits comments to 10,000 characters. How long they are once encrypted depends on the handlers of the project.
alter table feedback drop constraint feedback_comment_check;

-- The sweep deletes temporary threads. The feedback about their runs stays. A trigger marks it as detached, because the sweep of a release
-- that knows no feedback must keep it too.
create function detach_feedback() returns trigger language plpgsql as $$
begin
  update feedback set detached = true where thread_id = old.thread_id and not detached;
  return old;
end $$;

create trigger threads_detach_feedback before delete on threads for each row when (old.temporary) execute function detach_feedback();
