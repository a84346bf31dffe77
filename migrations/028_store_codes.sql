-- A code holds a vector in one byte a number, and proves which vectors cannot be among the nearest. It starts with the step size and the
-- distance between code and vector, as reals. The number of steps of each number follows. Sketches only estimate this, and the previous
-- release still reads them.
alter table store_vectors add column code bytea;
alter table store_vectors alter code set storage external;
alter table store_vectors alter sketch drop not null;

update store_vectors set code = (
  select float4send(step) || float4send(sqrt(sum((number - step * count) ^ 2))::real) || string_agg(set_byte('\x00', 0, count & 255), '' order by nth)
    from (select (max(abs(number)) / 127)::real as step from unnest(vector) number) measured
   cross join lateral (select number, nth, least(127, greatest(-127, round(number / nullif(step, 0))))::integer as count
                         from unnest(vector) with ordinality numbered (number, nth)) counted
   group by step);
