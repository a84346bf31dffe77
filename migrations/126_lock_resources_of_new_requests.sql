-- Locks these resources, and the other resources of the requests that wait for them. Returns the names of all of them. While this waits
-- for a lock, a request for further resources may arrive. Then all locks are given back and taken again, because locks that were taken in
-- another order than that of the names could end in a deadlock. Before, such a request was left out. It then waited for the next sweep,
-- although everything that it needed was free.
create or replace function lock_resources(names text[]) returns text[] language plpgsql as $$
declare
  locked text[] := names;
  further text[];
begin
  loop
    select array_agg(distinct resource) into further from grants
     where resource <> all(locked) and state = 'waiting'
       and holder in (select holder from grants where state = 'waiting' and resource = any(names));
    locked := locked || coalesce(further, '{}');
    begin
      perform 1 from resources where name = any(locked) order by name for no key update;
      if not exists (select from grants
                      where resource <> all(locked) and state = 'waiting'
                        and holder in (select holder from grants where state = 'waiting' and resource = any(names))) then
        return locked;
      end if;
      raise exception using errcode = 'EN001'; -- gives the locks of this block back
    exception when sqlstate 'EN001' then null;
    end;
  end loop;
end $$;
