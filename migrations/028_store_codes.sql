-- A code describes a vector with one byte for each number. With it, a search can prove that a vector is not among the nearest. The code
-- starts with the step size and the distance between the code and the vector, as reals. After them, each number follows as a count of
-- steps. Sketches only estimate nearness. They are kept because the previous release still reads them.
alter table store_vectors add column code bytea;
alter table store_vectors alter code set storage external;
alter table store_vectors alter sketch drop not null;

update store_vectors set code = (
  select float4send(step) || float4send(sqrt(sum((number - step * count) ^ 2))::real) || string_agg(set_byte('\x00', 0, count & 255), '' order by nth)
    from (select (max(abs(number)) / 127)::real as step from unnest(vector) number) measured
   cross join lateral (select number, nth, least(127, greatest(-127, round(number / nullif(step, 0))))::integer as count
                         from unnest(vector) with ordinality numbered (number, nth)) counted
   group by step);
