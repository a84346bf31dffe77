-- Threads whose values have no marks, which a search has to compare one by one.
create index concurrently threads_unmarked on threads (thread_id) where value_marks is null and "values" is not null;
