-- Returns the marks of a thread's values, with which filters find the thread. A mark is a hash of a short top-level entry. The result is
-- null if the document is large, has more than 64 such entries, or cannot be parsed. A search then compares the document itself. The hash
-- uses md5, which does not change between major versions of Postgres.
create function value_marks(doc json) returns integer[] language plpgsql immutable parallel safe as $$
declare
  marks integer[];
begin
  if octet_length(doc::text) > 65536 then
    return null;
  end if;
  select array_agg(('x' || left(md5(key || ':' || value::text), 8))::bit(32)::integer) into marks
    from json_each(doc) where json_typeof(value) not in ('object', 'array') and octet_length(value::text) <= 256;
  return case when cardinality(marks) <= 64 then marks when marks is null then '{}' end;
exception when others then
  return null;
end $$;

-- Null until the marks are computed, and for values without marks.
alter table threads add column value_marks integer[];

create function mark_values() returns trigger language plpgsql as $$
begin
  new.value_marks := value_marks(new."values");
  return new;
end $$;

create trigger threads_mark_values before insert or update of "values" on threads for each row when (new."values" is not null)
  execute function mark_values();
