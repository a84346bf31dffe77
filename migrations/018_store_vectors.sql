-- The vectors of items, which are compared with queries. There is one for every text that store.index of langgraph.json names. Items that
-- were put without an index have none.
create table store_vectors (
  namespace  text[] collate "C" not null,
  key        text               not null,
  -- The position of the text among those of its item.
  place      integer            not null,
  -- The model and the number of dimensions. Vectors of different names cannot be compared, so a search only reads those of its own.
  index_name text               not null,
  -- Scaled to length one, so that the cosine of two vectors is the sum of their products.
  vector     real[]             not null,
  -- The vector in a few bits a number, which separates near from far vectors at a three-hundredth of the cost.
  sketch     bit varying        not null,
  primary key (namespace, key, place),
  foreign key (namespace, key) references store_items on delete cascade
);

-- Such numbers do not compress, and the sketches lie closer together without them.
alter table store_vectors alter vector set storage external;

-- Deletes the vectors of a replaced value. This also covers the previous release, which does not know of vectors, and concurrent puts.
create function store_items_forget_vectors() returns trigger language plpgsql as $$
begin
  delete from store_vectors where namespace = new.namespace and key = new.key;
  return new;
end $$;

create trigger store_items_forget_vectors before update of value on store_items for each row execute function store_items_forget_vectors();
