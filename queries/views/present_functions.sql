-- @kept
-- Functions that clients used of controllers in the captures, as a baseline tells them.
SELECT CAST(client AS VARCHAR) AS client, CAST(server AS VARCHAR) AS server, protocol, function, max(category) AS category, count(*) AS count,
  min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM ot_functions GROUP BY client, server, protocol, function
