-- Trace spans in the form of a W3C traceparent. One is the span of the request that created the run. The other is the span of the run's
-- last attempt, to which the next attempt links. The text is stored unchanged, because only tracing reads it.
alter table runs add column traceparent  text;
alter table runs add column attempt_span text;
