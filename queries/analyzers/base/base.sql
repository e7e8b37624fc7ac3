-- @analyzer base
-- @group    general
-- @title    PCAPPER REPORT
-- @help     Put the capture overview in front of the other reports

-- @section summary shape=facts
SELECT
  CASE WHEN count(*) = 1 THEN min(path) END AS path,
  array_to_string(array_sort(array_agg(DISTINCT format)), ', ') AS type,
  sum(file_size_bytes) AS size_bytes,
  CASE WHEN count(*) = 1 THEN min(sha256) END AS sha256,
  sum(packets) AS packets,
  sum(captured_bytes) AS captured_bytes,
  sum(wire_bytes) AS wire_bytes,
  min(ts) AS start,
  max(end_ts) AS "end",
  CASE WHEN count(*) = 1 THEN sum(duration_s) END AS duration_s,
  CASE WHEN sum(duration_s) > 0 THEN sum(packets) / sum(duration_s) END AS "Average Packets/s",
  (SELECT count(*) FROM interfaces) AS interfaces,
  (SELECT array_to_string(array_sort(array_agg(DISTINCT link_type_name)), ', ') FROM interfaces WHERE packets > 0) AS "LinkTypes",
  min(snaplen) AS "SnapLen",
  (SELECT count(*) FROM flows) AS flows,
  sum(out_of_order_timestamps) AS out_of_order_timestamps,
  max(hardware) AS hardware,
  max(os) AS os,
  max(application) AS application,
  (SELECT array_to_string(array_sort(array_agg(comment)), '; ') FROM (SELECT DISTINCT unnest(comments) AS comment FROM captures)) AS comments,
  CASE WHEN bool_or(truncated) THEN 'yes (' || (SELECT min(detail) FROM anomalies WHERE protocol = 'captures' AND kind NOT IN ('packet_comment', 'embedded_secrets')) || ')' ELSE 'no' END AS truncated
FROM captures;

-- @section "Interface Statistics" shape=table
SELECT
  coalesce(i.name, '-') AS "Interface Name",
  CASE WHEN c.format LIKE 'pcapng%' THEN coalesce(CAST(i.dropped_by_interface AS VARCHAR), '-') ELSE 'not recorded' END AS "Dropped Packets",
  CASE WHEN c.format LIKE 'pcapng%' THEN coalesce(i.filter, '-') ELSE 'not recorded' END AS "Capture Filter",
  i.link_type_name AS "Link Type",
  i.snaplen AS "Packet Size Limit",
  i.packets AS "Packets",
  i.ts_resolution AS "Time Resolution"
FROM interfaces i JOIN captures c ON c.capture_id = i.capture_id
ORDER BY i.packets DESC, i.capture, i.interface_id
LIMIT 25;

-- @section "Protocol Summary (presence across packets)" shape=table limit=15
SELECT upper(layer) AS protocol, sum(n) AS packets, sum(n) * 1.0 / (SELECT sum(packets) FROM captures) AS presence_share
FROM (
  SELECT DISTINCT layers, unnest(string_to_array(layers, ':')) AS layer, n
  FROM (SELECT layers, count(*) AS n FROM packets WHERE layers IS NOT NULL GROUP BY layers)
)
GROUP BY layer
ORDER BY packets DESC, protocol;

-- @section "VLAN Summary" shape=facts
SELECT
  CASE WHEN count(*) = 0 THEN 'No VLAN-tagged traffic detected.' ELSE CAST(count(*) AS VARCHAR) END AS "VLANs Observed",
  string_agg(CAST(vlan AS VARCHAR), ', ' ORDER BY vlan) AS "VLAN IDs"
FROM (SELECT DISTINCT vlan_id AS vlan FROM packets WHERE vlan_id IS NOT NULL);

-- @section "Captures" shape=table verbose
SELECT capture, packets, ts AS start, end_ts AS "end", duration_s, wire_bytes FROM captures ORDER BY ts, capture;
