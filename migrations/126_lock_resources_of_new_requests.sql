-- Locks these resources, and the other resources of the requests that wait for them. Returns the names of all of them. The requests are
-- read after the locks were taken, so that none that arrived meanwhile is left out. If they need further resources, all locks are given
-- back and taken again, because two processes that take locks in different orders could end in a deadlock. Before, such a request waited
-- for the next sweep, although everything that it needed was free.
create or replace function lock_resources(names text[]) returns text[] language plpgsql as $$
declare
  locked text[] := names;
  further text[];
begin
  loop
    begin
      perform 1 from resources where name = any(locked) order by name for no key update;
      select array_agg(distinct resource) into further from grants
       where resource <> all(locked) and state = 'waiting'
         and holder in (select holder from grants where state = 'waiting' and resource = any(names));
      if further is null then
        return locked;
      end if;
      raise exception using errcode = 'EN001'; -- gives the locks of this block back
    exception when sqlstate 'EN001' then
      locked := locked || further;
    end;
  end loop;
end $$;
