-- The inventory: one row an address (or a MAC that never speaks IP), from flows, ARP, DHCP and names.
WITH ends AS (
  SELECT capture, capture_id, src_ip AS ip, src_mac AS mac, vlan_id, ts, end_ts, orig_packets AS sent, resp_packets AS received, orig_wire_bytes AS bytes_sent, resp_wire_bytes AS bytes_received,
    dst_ip AS peer, 1 AS opened, 0 AS accepted, CASE WHEN conn_state IN ('S0', 'REJ') THEN 1 ELSE 0 END AS failed FROM flows
  UNION ALL
  SELECT capture, capture_id, dst_ip AS ip, dst_mac AS mac, vlan_id, ts, end_ts, resp_packets AS sent, orig_packets AS received, resp_wire_bytes AS bytes_sent, orig_wire_bytes AS bytes_received,
    src_ip AS peer, 0 AS opened, 1 AS accepted, 0 AS failed FROM flows
  UNION ALL
  SELECT capture, capture_id, sender_ip AS ip, sender_mac AS mac, vlan_id, ts, ts AS end_ts, CAST(1 AS BIGINT UNSIGNED) AS sent, CAST(0 AS BIGINT UNSIGNED) AS received,
    CAST(0 AS BIGINT UNSIGNED) AS bytes_sent, CAST(0 AS BIGINT UNSIGNED) AS bytes_received, CAST(NULL AS VARCHAR) AS peer, 0 AS opened, 0 AS accepted, 0 AS failed FROM arp
  WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0'
  UNION ALL
  SELECT capture, capture_id, CAST(NULL AS VARCHAR) AS ip, src_mac AS mac, vlan_id, ts, ts AS end_ts, CAST(1 AS BIGINT UNSIGNED) AS sent, CAST(0 AS BIGINT UNSIGNED) AS received,
    CAST(frame_len AS BIGINT UNSIGNED) AS bytes_sent, CAST(0 AS BIGINT UNSIGNED) AS bytes_received, CAST(NULL AS VARCHAR) AS peer, 0 AS opened, 0 AS accepted, 0 AS failed FROM packets
  WHERE ip_version IS NULL AND src_mac IS NOT NULL AND protocol <> 'arp'
), claims AS (
  SELECT capture_id, sender_ip AS ip, min(sender_mac) AS mac FROM arp WHERE sender_ip IS NOT NULL AND sender_ip <> '0.0.0.0' AND sender_mac IS NOT NULL GROUP BY capture_id, sender_ip
), fronts AS (
  SELECT capture_id, mac, count(DISTINCT ip) AS addresses FROM ends WHERE mac IS NOT NULL AND ip IS NOT NULL AND sent > 0 GROUP BY capture_id, mac
), speaking_macs AS (
  SELECT DISTINCT capture_id, mac FROM ends WHERE ip IS NOT NULL AND mac IS NOT NULL AND sent > 0
), gathered AS (
  SELECT capture_id, ip, CASE WHEN ip IS NULL THEN mac END AS lone_mac, min(capture) AS capture, min(ts) AS ts, max(end_ts) AS end_ts,
    min(mac) FILTER (WHERE sent > 0) AS any_mac,
    sum(sent) AS packets_sent, sum(received) AS packets_received, sum(bytes_sent) AS bytes_sent, sum(bytes_received) AS bytes_received,
    count(DISTINCT peer) AS peers, count(DISTINCT CASE WHEN is_public(peer) THEN peer END) AS peers_public,
    sum(opened) AS flows_out, sum(accepted) AS flows_in, sum(failed) AS failed_flows_out, sum(sent) > 0 AS responded,
    array_sort(array_agg(DISTINCT vlan_id) FILTER (WHERE vlan_id IS NOT NULL)) AS vlans
  FROM ends GROUP BY capture_id, ip, CASE WHEN ip IS NULL THEN mac END
), names AS (
  SELECT capture_id, ip, array_agg(name ORDER BY CASE kind WHEN 'hostname' THEN 1 WHEN 'dns_name' THEN 2 ELSE 3 END, seen DESC, name) AS hostnames FROM (
    SELECT capture_id, ip, name, min(kind) AS kind, sum(seen) AS seen FROM host_names WHERE ip IS NOT NULL GROUP BY capture_id, ip, name)
  GROUP BY capture_id, ip
), ports AS (
  SELECT capture_id, dst_ip AS ip, transport, dst_port, max(service) AS service
  FROM flows WHERE dst_port IS NOT NULL AND resp_packets > 0 AND conn_state NOT IN ('REJ', 'RSTRH', 'OTH') AND ip_scope(dst_ip) NOT IN ('multicast', 'broadcast') GROUP BY capture_id, dst_ip, transport, dst_port
), offered AS (
  SELECT capture_id, ip, array_sort(array_agg(DISTINCT transport || '/' || CAST(dst_port AS VARCHAR) || coalesce(' ' || service, ''))) AS services,
    array_sort(array_agg(DISTINCT CASE service WHEN 'dns' THEN 'dns_server' WHEN 'dhcp' THEN 'dhcp_server' WHEN 'ntp' THEN 'ntp_server' WHEN 'http' THEN 'web_server' WHEN 'tls' THEN 'tls_server' WHEN 'modbus' THEN 'modbus_server' END)
      FILTER (WHERE service IN ('dns', 'dhcp', 'ntp', 'http', 'tls', 'modbus'))) AS roles
  FROM ports GROUP BY capture_id, ip
), owned AS (
  SELECT g.*, coalesce(c.mac, CASE WHEN f.addresses = 1 THEN g.any_mac END, g.lone_mac) AS own_mac,
    CASE WHEN c.mac IS NULL AND f.addresses > 1 THEN g.any_mac END AS via_mac
  FROM gathered g LEFT JOIN claims c ON c.capture_id = g.capture_id AND c.ip = g.ip LEFT JOIN fronts f ON f.capture_id = g.capture_id AND f.mac = g.any_mac
  LEFT JOIN speaking_macs m ON m.capture_id = g.capture_id AND m.mac = g.lone_mac
  WHERE g.ip IS NOT NULL OR m.mac IS NULL
)
SELECT o.capture, o.capture_id, o.ts, o.ip, CASE WHEN o.ip LIKE '%:%' THEN 6 WHEN o.ip IS NOT NULL THEN 4 END AS ip_version, ip_scope(o.ip) AS scope, o.end_ts, o.own_mac AS mac, o.via_mac,
  CAST(NULL AS VARCHAR) AS mac_vendor, substr(o.own_mac, 2, 1) IN ('2', '6', 'a', 'e') AS mac_randomised,
  n.hostnames, d.domain, CAST(NULL AS VARCHAR) AS os, CAST(NULL AS VARCHAR) AS os_confidence, CAST(NULL AS VARCHAR) AS os_evidence, CAST(NULL AS VARCHAR) AS device_type,
  CAST(NULL AS VARCHAR) AS vendor, CAST(NULL AS VARCHAR) AS model, CAST(NULL AS VARCHAR) AS firmware, CAST(NULL AS VARCHAR) AS serial,
  f.roles, f.services, o.vlans, o.packets_sent, o.packets_received, o.bytes_sent, o.bytes_received, o.peers, o.peers_public, o.flows_out, o.flows_in, o.failed_flows_out, o.responded
FROM owned o
LEFT JOIN names n ON n.capture_id = o.capture_id AND n.ip = o.ip
LEFT JOIN offered f ON f.capture_id = o.capture_id AND f.ip = o.ip
LEFT JOIN (SELECT capture_id, yiaddr AS ip, max(domain_name) AS domain FROM dhcp WHERE op = 2 GROUP BY capture_id, yiaddr) d ON d.capture_id = o.capture_id AND d.ip = o.ip
