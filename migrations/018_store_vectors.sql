-- The vectors of items, with which queries are compared. An item has one vector for every text that store.index in langgraph.json selects.
-- An item that was put without an index has no vector.
create table store_vectors (
  namespace  text[] collate "C" not null,
  key        text               not null,
  -- The position of the text among the texts of its item.
  place      integer            not null,
  -- The model and the number of dimensions. Vectors of different names cannot be compared, so a search reads only vectors of its own name.
  index_name text               not null,
  -- The vector, scaled to length one. The cosine of two vectors is then the sum of the products of their numbers.
  vector     real[]             not null,
  -- A sketch of the vector, with a few bits for each number. Comparing two sketches costs a three-hundredth of comparing two vectors, and
  -- distinguishes near vectors from far ones.
  sketch     bit varying        not null,
  primary key (namespace, key, place),
  foreign key (namespace, key) references store_items on delete cascade
);

-- Vectors are stored uncompressed and outside the row. They hardly compress, and the sketches then lie closer together.
alter table store_vectors alter vector set storage external;

-- Deletes the vectors when their item's value is replaced. As a trigger, this also works for concurrent puts, and for the previous release,
-- which does not know vectors.
create function store_items_forget_vectors() returns trigger language plpgsql as $$
begin
  delete from store_vectors where namespace = new.namespace and key = new.key;
  return new;
end $$;

create trigger store_items_forget_vectors before update of value on store_items for each row execute function store_items_forget_vectors();
