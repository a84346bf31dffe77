-- Fills in the graph of runs that had ended before the column existed, 5,000 at a time. Locked runs are left to the next pass, so that
-- neither this statement nor other statements wait.
do $$
declare
  last bigint;
  ceiling bigint := (select coalesce(max(seq), 0) from runs);
begin
  for pass in 1..10 loop
    last := 0;
    while last < ceiling loop
      update runs set graph_id = graph_of_run(kwargs, assistant_id)
        from (select run_id from runs where seq > last and seq <= last + 5000 and graph_id is null for no key update skip locked) batch
       where runs.run_id = batch.run_id;
      last := last + 5000;
      commit;
    end loop;
    exit when not exists (select from runs where graph_id is null);
  end loop;
end $$;
