-- Traces, as W3C's traceparent writes them: the span in which somebody asked for the run, and the span of its last attempt, to which
-- the next one points. Text as it came: only tracing reads it.
alter table runs add column traceparent  text;
alter table runs add column attempt_span text;
