-- @analyzer vlan
-- @group    it
-- @title    VLAN ANALYSIS
-- @help     VLANs, who is in them, hopping

-- @section summary shape=facts
SELECT count(*) FILTER (WHERE vlan_id IS NOT NULL) AS tagged, count(*) FILTER (WHERE vlan_id IS NULL) AS untagged,
  count(*) FILTER (WHERE vlan_id = 0) AS priority_only, count(*) FILTER (WHERE vlan_outer_id IS NOT NULL) AS double_tagged, count(DISTINCT vlan_id) AS vlans
FROM packets;

-- @section "VLANs" shape=table limit=30
SELECT vlan_outer_id AS outer_id, vlan_id AS id, count(*) AS packets, sum(frame_len) AS bytes, count(DISTINCT src_ip) AS hosts, count(DISTINCT src_mac) AS "MACs",
  array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS protocols, array_to_string(array_sort(array_agg(DISTINCT vlan_priority)), ', ') AS priorities, min(ts) AS first, max(ts) AS last
FROM packets WHERE vlan_id IS NOT NULL GROUP BY vlan_outer_id, vlan_id ORDER BY packets DESC, outer_id, id;

-- @section "Hosts in more than one VLAN" shape=table limit=15
SELECT src_mac AS mac, array_to_string(array_sort(array_agg(DISTINCT vlan_id)), ', ') AS vlans, count(*) AS packets FROM packets
WHERE vlan_id IS NOT NULL AND src_mac IS NOT NULL GROUP BY src_mac HAVING count(DISTINCT vlan_id) > 1 ORDER BY packets DESC, mac;

-- @section "Priorities" shape=table
SELECT vlan_priority AS priority, count(*) AS packets, count(DISTINCT vlan_id) AS vlans FROM packets WHERE vlan_priority IS NOT NULL GROUP BY vlan_priority ORDER BY priority;

-- @section "Stacks" shape=table limit=15
SELECT CASE WHEN vlan_outer_id IS NULL THEN CAST(vlan_id AS VARCHAR) ELSE CAST(vlan_outer_id AS VARCHAR) || ' > ' || CAST(vlan_id AS VARCHAR) END AS stack,
  '0x' || lpad(to_hex(CAST(ether_type AS BIGINT)), 4, '0') AS ether_type, count(*) AS packets FROM packets WHERE vlan_id IS NOT NULL
GROUP BY 1, 2 ORDER BY packets DESC, stack, ether_type;

-- @section "Hosts" shape=table verbose
SELECT vlan_id AS vlan, src_mac AS mac, src_ip AS ip, count(*) AS packets FROM packets WHERE vlan_id IS NOT NULL GROUP BY vlan_id, src_mac, src_ip ORDER BY vlan, mac, ip;

-- @finding vlan_hopping severity=medium technique=T1599
SELECT 'A double tag on a link of single tags' AS title, 'outer ' || CAST(vlan_outer_id AS VARCHAR) || ', inner ' || CAST(vlan_id AS VARCHAR) || ': a switch that strips the outer tag passes the frame into the inner VLAN' AS details,
  src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM packets WHERE vlan_outer_id = 1 AND (SELECT count(*) FROM packets WHERE vlan_id IS NOT NULL AND vlan_outer_id IS NULL) > (SELECT count(*) FROM packets WHERE vlan_outer_id IS NOT NULL)
GROUP BY capture_id, src_ip, dst_ip, vlan_outer_id, vlan_id ORDER BY frame;

-- @finding vlan_default_used severity=info
SELECT 'VLAN 1 carries hosts' AS title, CAST(count(DISTINCT src_ip) AS VARCHAR) || ' addresses in VLAN 1' AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE vlan_id = 1 AND src_ip IS NOT NULL GROUP BY capture, capture_id;

-- @finding vlan_host_multi severity=low
SELECT 'One station sends in several VLANs' AS title, src_mac || ' (' || min(src_ip) || ') sends in VLANs ' || array_to_string(array_sort(array_agg(DISTINCT vlan_id)), ', ') AS details,
  min(src_ip) AS src_ip, CAST(sum(n) AS BIGINT) AS count, min(frame) AS frame, min(ts) AS ts, max(end_ts) AS end_ts, min(capture) AS capture
FROM (SELECT min(capture) AS capture, capture_id, src_mac, src_ip, vlan_id, count(*) AS n, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts FROM packets WHERE vlan_id > 0 AND src_mac IS NOT NULL AND src_ip IS NOT NULL GROUP BY capture_id, src_mac, src_ip, vlan_id)
GROUP BY capture_id, src_mac HAVING count(DISTINCT vlan_id) > 1 AND count(DISTINCT src_ip) = 1 ORDER BY src_mac;

-- @finding vlan_reserved severity=low
SELECT 'Reserved VLAN ids carry data' AS title, 'VLAN ' || CAST(vlan_id AS VARCHAR) AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM packets WHERE vlan_id IN (1002, 1003, 1004, 1005, 4095) GROUP BY vlan_id, capture ORDER BY vlan_id;

-- @finding vlan_ot_it_shared severity=low
SELECT 'Office and plant protocols share a VLAN' AS title, 'VLAN ' || CAST(vlan_id AS VARCHAR) || ': ' || array_to_string(array_sort(array_agg(DISTINCT protocol)), ', ') AS details, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, min(capture) AS capture
FROM packets WHERE vlan_id IS NOT NULL AND protocol IN ('modbus', 'goose', 'dnp3', 's7comm', 'enip', 'cip', 'http', 'tls', 'smb', 'smtp')
GROUP BY capture_id, vlan_id HAVING count(*) FILTER (WHERE protocol IN ('http', 'tls', 'smb', 'smtp')) > 0 AND count(*) FILTER (WHERE protocol NOT IN ('http', 'tls', 'smb', 'smtp')) > 0 ORDER BY vlan_id;
