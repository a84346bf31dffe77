-- An item may have a time to live, in minutes after the put, or after a read if reads restart it. Expired items are never returned, even
-- before the sweeper deletes them.
alter table store_items
  add column ttl_minutes double precision check (ttl_minutes > 0),
  add column expires_at  timestamptz,
  add constraint store_items_expiry check ((ttl_minutes is null) = (expires_at is null)),
  -- Metadata that an auth handler has set, such as the owner. The handler's filters compare it later, and clients never see it.
  add column metadata    json             not null default '{}';

create index store_items_by_expiry on store_items (expires_at) where expires_at is not null;

-- Clears the expiry when the previous release replaces an item. That release does not know this column, and would keep the expiry of the
-- old value.
create function store_items_outlive() returns trigger language plpgsql as $$
begin
  if new.expires_at is not distinct from old.expires_at then
    new.ttl_minutes := null;
    new.expires_at  := null;
  end if;
  return new;
end $$;

create trigger store_items_outlive before update of value on store_items for each row execute function store_items_outlive();
