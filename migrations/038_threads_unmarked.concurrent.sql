-- Threads whose values have no marks. A search has to compare them one by one.
create index concurrently threads_unmarked on threads (thread_id) where value_marks is null and "values" is not null;
