-- @kept
-- Octets that a sender may hide text in, one series a place: payloads of ICMP echoes, low octets of IP ids, first labels of DNS names under
-- one domain; with what they say where they say something.
WITH series AS (
  SELECT capture, capture_id, src_ip, dst_ip, 'icmp payload' AS place, count(*) AS packets, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, hidden_text(array_to_string(array_agg(encode(payload_prefix, 'hex') ORDER BY frame), '')) AS text
  FROM icmp WHERE type_name IN ('echo_request', 'echo_reply') AND payload_len BETWEEN 1 AND 8 GROUP BY capture, capture_id, src_ip, dst_ip, type_name
  UNION ALL
  SELECT capture, capture_id, src_ip, dst_ip, 'icmp payload', count(*), min(frame), array_slice(array_sort(array_agg(frame)), 1, 20), min(ts), max(ts), hidden_text(array_to_string(array_agg(encode(payload_prefix, 'hex') ORDER BY frame), ''))
  FROM icmp WHERE type_name IN ('echo_request', 'echo_reply') AND payload_len BETWEEN 9 AND 64 AND payload_class IN ('text', 'other') GROUP BY capture, capture_id, src_ip, dst_ip, type_name
  UNION ALL
  SELECT p.capture, p.capture_id, p.src_ip, p.dst_ip, 'ip id', count(*), min(p.frame), array_slice(array_sort(array_agg(p.frame)), 1, 20), min(p.ts), max(p.ts), hidden_text(array_to_string(array_agg(lpad(to_hex(CAST(p.ip_id & 255 AS BIGINT)), 2, '0') ORDER BY p.frame), ''))
  -- Counted first: what hides in ids is short, and the packets of busy pairs need not be gathered.
  FROM packets p JOIN (SELECT capture_id, src_ip, dst_ip, coalesce(transport, '-') AS transport FROM packets WHERE ip_id IS NOT NULL AND NOT ip_fragment AND tunnel IS NULL GROUP BY capture_id, src_ip, dst_ip, coalesce(transport, '-') HAVING count(*) BETWEEN 16 AND 20000) few
    ON few.capture_id = p.capture_id AND few.src_ip = p.src_ip AND few.dst_ip = p.dst_ip AND few.transport = coalesce(p.transport, '-')
  WHERE p.ip_id IS NOT NULL AND NOT p.ip_fragment AND p.tunnel IS NULL GROUP BY p.capture, p.capture_id, p.src_ip, p.dst_ip, p.transport
  UNION ALL
  SELECT capture, capture_id, src_ip, dst_ip, 'dns labels under ' || registered_domain, count(*), min(frame), array_slice(array_sort(array_agg(frame)), 1, 20), min(ts), max(ts), hidden_text(array_to_string(array_agg(label ORDER BY frame), ''))
  FROM (SELECT capture, capture_id, src_ip, dst_ip, frame, ts, registered_domain, split_part(query, '.', 1) AS label, lag(split_part(query, '.', 1)) OVER (PARTITION BY capture_id, src_ip, dst_ip, registered_domain ORDER BY frame) AS before FROM dns WHERE NOT is_response AND registered_domain IS NOT NULL AND NOT coalesce(retransmission, false)) d
  WHERE (label IS DISTINCT FROM before) AND regexp_like(label, '^([0-9A-Fa-f]{2,62}|[A-Za-z2-7]{8,63})$') GROUP BY capture, capture_id, src_ip, dst_ip, registered_domain
)
SELECT *, array_element(regexp_match(text, '(?i)([a-z0-9_]{0,16}(?:flag|ctf|htb|thm)[{][^{};\n]{4,128}[}])'), 1) AS flag FROM series WHERE text IS NOT NULL
