-- @kept
-- Hosts that spoke in the captures, as a baseline tells them.
SELECT ip, min(ts) AS ts, max(end_ts) AS end_ts, array_sort(array_agg(DISTINCT mac) FILTER (WHERE mac IS NOT NULL)) AS macs,
  array_sort(array_distinct(flatten(array_agg(hostnames) FILTER (WHERE hostnames IS NOT NULL)))) AS hostnames, max(os) AS os, max(packets_sent) AS packets, sum(flows_out) AS flows_out, min(capture) AS capture
FROM hosts WHERE ip IS NOT NULL AND responded AND scope NOT IN ('multicast', 'broadcast', 'unspecified') GROUP BY ip
