-- Threads whose values have no marks: a search has to look at them one by one.
create index concurrently threads_unmarked on threads (thread_id) where value_marks is null and "values" is not null;
