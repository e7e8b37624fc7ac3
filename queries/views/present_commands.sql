-- @kept
-- Commands to controllers in the captures, as a baseline tells them.
SELECT protocol || ' ' || command AS name, count(*) AS count,
  min(ts) AS ts, max(ts) AS end_ts, min(frame) AS frame, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip, min(capture) AS capture
FROM ot_commands WHERE command IS NOT NULL GROUP BY protocol || ' ' || command
