create index concurrently threads_by_value on threads using gin (value_marks);
