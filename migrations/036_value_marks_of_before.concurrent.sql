-- Computes the marks of older threads, 1,000 at a time. Locked threads are skipped, because their next run computes the marks.
do $$
declare
  last uuid := '00000000-0000-0000-0000-000000000000';
  next uuid;
begin
  loop
    select max(thread_id::text)::uuid into next
      from (select thread_id from threads where thread_id > last order by thread_id limit 1000) batch;
    exit when next is null;
    update threads set value_marks = value_marks("values")
      from (select thread_id from threads
             where thread_id > last and thread_id <= next and "values" is not null and value_marks is null
               for no key update skip locked) batch
     where threads.thread_id = batch.thread_id;
    last := next;
    commit;
  end loop;
end $$;
