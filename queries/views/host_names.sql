-- Evidence that an address bears a name, drawn from the protocol tables.
WITH evidence AS (
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    address AS ip, CAST(NULL AS VARCHAR) AS mac, lower(name) AS name, 'dns_name' AS kind,
    CASE WHEN src_port = 5353 THEN 'mdns.a' WHEN src_port = 5355 THEN 'llmnr' ELSE 'dns.a' END AS source,
    CASE WHEN src_port IN (5353, 5355) THEN 'high' ELSE 'medium' END AS confidence
  FROM dns_records WHERE address IS NOT NULL AND name IS NOT NULL AND is_response
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    CASE WHEN op = 2 AND yiaddr <> '0.0.0.0' THEN yiaddr WHEN ciaddr <> '0.0.0.0' THEN ciaddr ELSE requested_addr END AS ip, client_mac AS mac,
    lower(coalesce(client_fqdn, host_name)) AS name, 'hostname' AS kind, 'dhcp.host_name' AS source, 'high' AS confidence
  FROM dhcp WHERE coalesce(client_fqdn, host_name) IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, lower(regexp_replace(host, ':[0-9]+$', '')) AS name, 'virtual_host' AS kind, 'http.host' AS source, 'medium' AS confidence
  FROM http WHERE is_request AND host IS NOT NULL AND NOT regexp_like(host, '^[0-9.:\[\]]+$')
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, lower(server_name) AS name, 'virtual_host' AS kind, 'tls.server_name' AS source, 'medium' AS confidence
  FROM tls WHERE message = 'client_hello' AND server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    dst_ip AS ip, CAST(NULL AS VARCHAR) AS mac, lower(server_name) AS name, 'virtual_host' AS kind, 'quic.server_name' AS source, 'medium' AS confidence
  FROM quic WHERE server_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port,
    array_element(management_addresses, 1) AS ip, src_mac AS mac, lower(system_name) AS name, 'hostname' AS kind, 'lldp.system_name' AS source, 'high' AS confidence
  FROM lldp WHERE system_name IS NOT NULL
  UNION ALL
  SELECT capture, capture_id, frame, ts, flow_id, src_ip, dst_ip, src_port, dst_port, ip, mac, name, kind, source, confidence
  FROM stored_host_names
)
SELECT min(capture) AS capture, capture_id, min(frame) AS frame, min(ts) AS ts, first_value(flow_id ORDER BY frame) AS flow_id,
  first_value(src_ip ORDER BY frame) AS src_ip, first_value(dst_ip ORDER BY frame) AS dst_ip, first_value(src_port ORDER BY frame) AS src_port, first_value(dst_port ORDER BY frame) AS dst_port,
  ip, mac, rtrim(name, '.') AS name, kind, source, confidence, count(*) AS seen, max(ts) AS end_ts
FROM evidence WHERE name <> '' GROUP BY capture_id, ip, mac, rtrim(name, '.'), kind, source, confidence
