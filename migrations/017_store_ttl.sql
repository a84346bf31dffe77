-- An item may have a time to live: so many minutes after it was put, or read where reads refresh it. When the time is over no read finds
-- it any more, whether it was swept yet or not.
alter table store_items
  add column ttl_minutes double precision check (ttl_minutes > 0),
  add column expires_at  timestamptz,
  add constraint store_items_expiry check ((ttl_minutes is null) = (expires_at is null)),
  -- What an auth handler says of an item, such as whose it is, for the filters that it answers later. Nobody else sees it.
  add column metadata    json             not null default '{}';

create index store_items_by_expiry on store_items (expires_at) where expires_at is not null;

-- The previous release puts without a word on expiry. What it puts over an item with a time to live must not go with that one's time.
create function store_items_outlive() returns trigger language plpgsql as $$
begin
  if new.expires_at is not distinct from old.expires_at then
    new.ttl_minutes := null;
    new.expires_at  := null;
  end if;
  return new;
end $$;

create trigger store_items_outlive before update of value on store_items for each row execute function store_items_outlive();
