-- Spans as W3C traceparent: that of the request that created the run, and that of its last attempt, to which the next one links. The
-- text is stored unchanged, because only tracing reads it.
alter table runs add column traceparent  text;
alter table runs add column attempt_span text;
