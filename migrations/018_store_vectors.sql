-- What queries are compared with: for every text of an item that store.index of langgraph.json names, where it points. Items that were put
-- without an index have none here.
create table store_vectors (
  namespace  text[] collate "C" not null,
  key        text               not null,
  -- The text's place among those of its item.
  place      integer            not null,
  -- The model and the number of dimensions: vectors of different ones cannot be compared, so that a search sees those of its own only.
  index_name text               not null,
  -- Of length one, so that the cosine of two is the sum of their products.
  vector     real[]             not null,
  -- The vector in a few bits a number, for telling the near from the far at a three-hundredth of the cost.
  sketch     bit varying        not null,
  primary key (namespace, key, place),
  foreign key (namespace, key) references store_items on delete cascade
);

-- Numbers like these do not get shorter, and the sketches stand closer together without them.
alter table store_vectors alter vector set storage external;

-- A new value has new vectors, or none: also when the previous release puts it, which knows of no vectors, and when two put at once.
create function store_items_forget_vectors() returns trigger language plpgsql as $$
begin
  delete from store_vectors where namespace = new.namespace and key = new.key;
  return new;
end $$;

create trigger store_items_forget_vectors before update of value on store_items for each row execute function store_items_forget_vectors();
