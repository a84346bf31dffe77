-- A known text, encrypted like the values of this database. Each process reads it when it starts, to check that it has the right key. The
-- table is empty if no value is encrypted.
create table encryption_sample (
  only_one boolean primary key default true check (only_one),
  sample   text    not null
);
