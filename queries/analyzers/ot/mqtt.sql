-- @analyzer mqtt
-- @group    ot
-- @title    MQTT ANALYSIS
-- @help     MQTT clients, topics, credentials

-- @section summary shape=facts
SELECT count(*) AS packets, count(DISTINCT flow_id) AS connections, count(DISTINCT CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS clients, count(DISTINCT CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS brokers, count(DISTINCT topic) AS topics,
  count(*) FILTER (WHERE msg_type_name = 'publish') AS publishes, count(*) FILTER (WHERE msg_type_name = 'subscribe') AS subscribes, count(*) FILTER (WHERE msg_type_name = 'connack' AND reason_code > 0 OR msg_type_name IN ('puback', 'pubrec', 'pubcomp', 'suback', 'unsuback') AND reason_code >= 128) AS refusals,
  count(*) FILTER (WHERE malformed IS NOT NULL) AS malformed, min(ts) AS first, max(ts) AS last FROM mqtt;

-- @section "Clients" shape=table limit=15
WITH asked AS (SELECT capture_id, flow_id, max(client_id) AS client, max(username) AS username, max(version) AS version, max(keep_alive_s) AS keep_alive, max(will_topic) AS will,
    count(*) FILTER (WHERE msg_type_name = 'connect') AS connects, count(*) FILTER (WHERE msg_type_name = 'connack' AND reason_code > 0) AS refused, count(DISTINCT CASE WHEN is_orig AND msg_type_name = 'publish' THEN topic END) AS published,
    sum(array_length(topics)) FILTER (WHERE msg_type_name = 'subscribe') AS subscribed, count(*) AS packets, min(CASE WHEN is_orig THEN src_ip ELSE dst_ip END) AS ip, min(CASE WHEN is_orig THEN dst_ip ELSE src_ip END) AS broker FROM mqtt GROUP BY capture_id, flow_id)
SELECT client, ip, broker, username AS user, CASE version WHEN 3 THEN '3.1' WHEN 4 THEN '3.1.1' WHEN 5 THEN '5.0' END AS version, max(keep_alive) AS keep_alive_s, max(will) AS will, sum(connects) AS connects, sum(refused) AS refused, sum(published) AS "Topics published", sum(subscribed) AS "Filters subscribed", sum(packets) AS packets
FROM asked GROUP BY client, ip, broker, username, version ORDER BY packets DESC, client, ip, broker;

-- @section "Topics" shape=table limit=30
SELECT topic, count(*) AS messages, count(DISTINCT CASE WHEN is_orig THEN src_ip || ':' || CAST(src_port AS VARCHAR) END) AS publishers, count(DISTINCT CASE WHEN NOT is_orig THEN dst_ip || ':' || CAST(dst_port AS VARCHAR) END) AS receivers, count(*) FILTER (WHERE retain) AS retained, max(qos) AS "QoS",
  array_to_string(array_sort(array_agg(DISTINCT payload_kind)), ', ') AS kind, first_value(payload_text ORDER BY frame) AS "First payload", last_value(payload_text ORDER BY frame) AS "Last payload"
FROM mqtt WHERE msg_type_name = 'publish' GROUP BY topic ORDER BY messages DESC, topic;

-- @section "Subscriptions" shape=table limit=15
WITH asked AS (SELECT s.capture_id, s.flow_id, s.frame, s.src_ip AS client, s.dst_ip AS broker, unnest(s.topics) AS filter, unnest(range(1, CAST(array_length(s.topics) AS BIGINT) + 1)) AS place, s.packet_id FROM mqtt AS s WHERE s.msg_type_name = 'subscribe' AND s.topics IS NOT NULL)
SELECT a.filter, a.client, a.broker, CASE WHEN g.granted_qos IS NULL THEN 'unanswered' WHEN array_element(g.granted_qos, a.place) >= 128 THEN 'refused' ELSE 'QoS ' || CAST(array_element(g.granted_qos, a.place) AS VARCHAR) END AS granted, strpos(a.filter, '#') > 0 OR strpos(a.filter, '+') > 0 AS wildcard, min(a.frame) AS frame
FROM asked AS a LEFT JOIN mqtt AS g ON g.capture_id = a.capture_id AND g.flow_id = a.flow_id AND g.msg_type_name = 'suback' AND g.packet_id = a.packet_id AND g.frame >= a.frame
GROUP BY a.filter, a.client, a.broker, CASE WHEN g.granted_qos IS NULL THEN 'unanswered' WHEN array_element(g.granted_qos, a.place) >= 128 THEN 'refused' ELSE 'QoS ' || CAST(array_element(g.granted_qos, a.place) AS VARCHAR) END ORDER BY frame, filter, client;

-- @section "Credentials" shape=table limit=15
SELECT username AS user, secret AS password, service, outcome, src_ip AS client, dst_ip AS broker, count(*) AS times, min(frame) AS frame FROM credentials WHERE protocol = 'mqtt' GROUP BY username, secret, service, outcome, src_ip, dst_ip ORDER BY frame, user;

-- @section "Packets" shape=table verbose
SELECT ts, src_ip AS source, dst_ip AS destination, msg_type_name AS type, coalesce(topic, array_to_string(topics, ', '), client_id, reason) AS what, qos AS "QoS", payload_len AS payload_bytes, malformed FROM mqtt ORDER BY capture, frame;

-- @finding mqtt_cleartext_credential severity=high confidence=high technique=T1552,T0859
SELECT 'A password travels in clear' AS title, coalesce(username, '-') || coalesce(', ' || service, '') || ': ' || outcome AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM credentials WHERE protocol = 'mqtt' AND NOT encrypted GROUP BY capture, capture_id, username, service, outcome, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding mqtt_anonymous_access severity=medium confidence=high technique=T0859
SELECT CASE WHEN max(p.frame) IS NOT NULL THEN 'high' ELSE 'medium' END AS severity, 'A client without a name was let in' AS title, coalesce(max(c.client_id), 'no client id') AS details, c.src_ip AS src_ip, c.dst_ip AS dst_ip, c.dst_port AS dst_port, count(DISTINCT c.frame) AS count, min(c.frame) AS frame, min(c.ts) AS ts, max(c.ts) AS end_ts, c.capture AS capture
FROM mqtt AS c JOIN mqtt AS a ON a.capture_id = c.capture_id AND a.flow_id = c.flow_id AND a.msg_type_name = 'connack' AND a.reason_code = 0 AND a.frame >= c.frame
LEFT JOIN ot_commands AS p ON p.capture_id = c.capture_id AND p.flow_id = c.flow_id AND p.protocol = 'mqtt'
WHERE c.msg_type_name = 'connect' AND c.username IS NULL AND c.malformed IS NULL GROUP BY c.capture, c.capture_id, c.src_ip, c.dst_ip, c.dst_port ORDER BY capture, frame;

-- @finding mqtt_auth_failure_burst severity=medium confidence=high technique=T1110
SELECT CASE WHEN max(won) > min(failed) THEN 'high' ELSE 'medium' END AS severity, 'Logins are refused again and again' AS title, CAST(sum(n) AS VARCHAR) || ' refusals' || CASE WHEN max(won) > min(failed) THEN ', then one was accepted' ELSE '' END AS details, client AS src_ip, broker AS dst_ip, sum(n) AS count, min(frame) AS frame, min(failed) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, dst_ip AS client, src_ip AS broker, CAST(ts AS BIGINT) / 300000000000 AS span, count(*) FILTER (WHERE reason IN ('bad_credentials', 'not_authorized')) AS n, min(frame) FILTER (WHERE reason IN ('bad_credentials', 'not_authorized')) AS frame,
    min(ts) FILTER (WHERE reason IN ('bad_credentials', 'not_authorized')) AS failed, max(ts) AS last, max(ts) FILTER (WHERE reason_code = 0) AS won FROM mqtt WHERE msg_type_name = 'connack' GROUP BY capture, capture_id, dst_ip, src_ip, CAST(ts AS BIGINT) / 300000000000)
WHERE n >= 5 GROUP BY capture, capture_id, client, broker ORDER BY capture, frame;

-- @finding mqtt_wildcard_subscription severity=medium confidence=high technique=T0802,T0868
WITH asked AS (SELECT capture, capture_id, flow_id, frame, ts, src_ip, dst_ip, dst_port, unnest(topics) AS filter, unnest(range(1, CAST(array_length(topics) AS BIGINT) + 1)) AS place, packet_id FROM mqtt WHERE msg_type_name = 'subscribe' AND topics IS NOT NULL)
SELECT CASE WHEN a.filter LIKE '$SYS/%' OR array_element(g.granted_qos, a.place) >= 128 THEN 'low' ELSE 'medium' END AS severity, 'A client listens to everything' AS title, a.filter || CASE WHEN array_element(g.granted_qos, a.place) >= 128 THEN ' (refused)' ELSE '' END AS details, a.src_ip AS src_ip, a.dst_ip AS dst_ip, a.dst_port AS dst_port,
  count(*) AS count, min(a.frame) AS frame, array_slice(array_sort(array_agg(a.frame)), 1, 20) AS frames, min(a.ts) AS ts, max(a.ts) AS end_ts, a.capture AS capture
FROM asked AS a JOIN mqtt AS g ON g.capture_id = a.capture_id AND g.flow_id = a.flow_id AND g.msg_type_name = 'suback' AND g.packet_id = a.packet_id AND g.frame >= a.frame
WHERE a.filter IN ('#', '/#', '$SYS/#') OR regexp_like(a.filter, '^/?\+(/\+)*(/#)?$')
GROUP BY a.capture, a.capture_id, a.filter, a.src_ip, a.dst_ip, a.dst_port, coalesce(array_element(g.granted_qos, a.place) >= 128, false), CASE WHEN a.filter LIKE '$SYS/%' OR array_element(g.granted_qos, a.place) >= 128 THEN 'low' ELSE 'medium' END, CASE WHEN array_element(g.granted_qos, a.place) >= 128 THEN ' (refused)' ELSE '' END ORDER BY capture, frame, details;

-- @finding mqtt_command_topic severity=medium technique=T0855
SELECT CASE WHEN max(CASE WHEN late THEN 1 ELSE 0 END) = 1 OR min(span) < 600000000000 THEN 'medium' ELSE 'info' END AS severity, 'A command was published' AS title, point || coalesce(': ' || substr(max(value), 1, 60), '') AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(ts) AS end_ts, capture
FROM (SELECT o.*, CAST(min(o.ts) OVER (PARTITION BY o.capture_id, o.src_ip, o.point) AS BIGINT) - CAST(c.ts AS BIGINT) > 600000000000 AS late, CAST(c.end_ts AS BIGINT) - CAST(c.ts AS BIGINT) AS span FROM ot_commands AS o JOIN captures AS c ON c.capture_id = o.capture_id WHERE o.protocol = 'mqtt')
GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, point ORDER BY capture, frame;

-- @finding mqtt_retained_command severity=medium confidence=high technique=T0836
SELECT 'A command is kept for later subscribers' AS title, m.topic || coalesce(': ' || substr(max(m.payload_text), 1, 60), '') AS details, m.src_ip AS src_ip, m.dst_ip AS dst_ip, m.dst_port AS dst_port, count(*) AS count, min(m.frame) AS frame, array_slice(array_sort(array_agg(m.frame)), 1, 20) AS frames, min(m.ts) AS ts, max(m.ts) AS end_ts, m.capture AS capture
FROM mqtt AS m JOIN (SELECT DISTINCT capture_id, record_frame, point FROM ot_commands WHERE protocol = 'mqtt') AS o ON o.capture_id = m.capture_id AND o.record_frame = m.frame AND o.point = m.topic
WHERE m.retain AND m.is_orig GROUP BY m.capture, m.capture_id, m.topic, m.src_ip, m.dst_ip, m.dst_port ORDER BY capture, frame;

-- @finding mqtt_will_abuse severity=low technique=T0855
SELECT 'A last will commands' AS title, will_topic AS details, src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, min(ts) AS ts, max(ts) AS end_ts, capture
FROM mqtt WHERE regexp_like(CAST(will_topic AS VARCHAR), '(?i)(^|/)(set|cmd|command|rpc|control|write|actuate)$') GROUP BY capture, capture_id, will_topic, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding mqtt_client_id_takeover severity=medium technique=T0859
SELECT 'A client id was taken over' AS title, b.client_id || ': ' || a.src_ip || ' is followed by ' || b.src_ip || ', and closed' AS details, b.src_ip AS src_ip, b.dst_ip AS dst_ip, b.dst_port AS dst_port, b.frame AS frame, make_array(a.frame, b.frame) AS frames, b.ts AS ts, b.capture AS capture
FROM mqtt AS a JOIN mqtt AS b ON b.capture_id = a.capture_id AND b.client_id = a.client_id AND b.dst_ip = a.dst_ip AND b.src_ip <> a.src_ip AND b.frame > a.frame AND b.msg_type_name = 'connect'
JOIN flows AS f ON f.capture_id = a.capture_id AND f.flow_id = a.flow_id
WHERE a.msg_type_name = 'connect' AND f.end_ts >= b.ts AND CAST(f.end_ts AS BIGINT) - CAST(b.ts AS BIGINT) < 5000000000 ORDER BY capture, b.frame;

-- @finding mqtt_topic_sweep severity=medium technique=T0861
SELECT 'One client touches very many topics' AS title, CAST(max(n) AS VARCHAR) || ' within a minute' AS details, src_ip, dst_ip, max(n) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000 AS minute, count(DISTINCT topic) AS n, min(frame) AS frame, min(ts) AS first, max(ts) AS last
  FROM (SELECT capture, capture_id, src_ip, dst_ip, ts, frame, CAST(topic AS VARCHAR) AS topic FROM mqtt WHERE is_orig AND topic IS NOT NULL UNION ALL SELECT capture, capture_id, src_ip, dst_ip, ts, frame, unnest(topics) FROM mqtt WHERE msg_type_name = 'subscribe')
  GROUP BY capture, capture_id, src_ip, dst_ip, CAST(ts AS BIGINT) / 60000000000) WHERE n >= 50 GROUP BY capture, capture_id, src_ip, dst_ip ORDER BY capture, frame;

-- @finding mqtt_exfil_payload severity=medium technique=T0882
SELECT 'Very much is published' AS title, CAST(max(bytes) AS VARCHAR) || ' bytes within five minutes, the largest message ' || CAST(max(largest) AS VARCHAR) AS details, src_ip, dst_ip, dst_port, max(bytes) AS count, min(frame) AS frame, min(first) AS ts, max(last) AS end_ts, capture
FROM (SELECT capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000 AS span, sum(payload_len) AS bytes, max(payload_len) AS largest, min(frame) AS frame, min(ts) AS first, max(ts) AS last FROM mqtt WHERE is_orig AND msg_type_name = 'publish' GROUP BY capture, capture_id, src_ip, dst_ip, dst_port, CAST(ts AS BIGINT) / 300000000000)
WHERE bytes >= 20971520 OR largest > 1048576 GROUP BY capture, capture_id, src_ip, dst_ip, dst_port ORDER BY capture, frame;

-- @finding mqtt_protocol_error severity=low confidence=high technique=T0814
SELECT CASE WHEN count(*) > 10 THEN 'medium' ELSE 'low' END AS severity, 'Packets against the protocol' AS title, m.malformed || ': ' || CAST(count(*) AS VARCHAR) AS details, m.src_ip AS src_ip, m.dst_ip AS dst_ip, count(*) AS count, min(m.frame) AS frame, array_slice(array_sort(array_agg(m.frame)), 1, 20) AS frames, min(m.ts) AS ts, max(m.ts) AS end_ts, m.capture AS capture
FROM mqtt AS m LEFT JOIN flows AS f ON f.capture_id = m.capture_id AND f.flow_id = m.flow_id
-- A capture that starts inside a connection shows no CONNECT.
WHERE m.malformed IS NOT NULL AND m.malformed <> 'truncated' AND (m.malformed <> 'missing_connect' OR f.history LIKE 'S%') GROUP BY m.capture, m.capture_id, m.src_ip, m.dst_ip, m.malformed ORDER BY capture, frame;

-- @finding mqtt_public_broker severity=medium confidence=high technique=T0883
SELECT 'A broker across the internet, in clear' AS title, count(DISTINCT m.flow_id) || ' connections' AS details, CASE WHEN m.is_orig THEN m.src_ip ELSE m.dst_ip END AS src_ip, CASE WHEN m.is_orig THEN m.dst_ip ELSE m.src_ip END AS dst_ip, count(*) AS count, min(m.frame) AS frame, min(m.ts) AS ts, max(m.ts) AS end_ts, m.capture AS capture
FROM mqtt AS m WHERE is_public(CASE WHEN m.is_orig THEN m.dst_ip ELSE m.src_ip END) GROUP BY m.capture, m.capture_id, CASE WHEN m.is_orig THEN m.src_ip ELSE m.dst_ip END, CASE WHEN m.is_orig THEN m.dst_ip ELSE m.src_ip END ORDER BY capture, frame;

-- @finding mqtt_nonstandard_port severity=low confidence=high technique=T0885
SELECT 'MQTT on another port than its own' AS title, 'port ' || CAST(dst_port AS VARCHAR) AS details, min(src_ip) AS src_ip, dst_ip, dst_port, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, max(end_ts) AS end_ts, capture
FROM flows WHERE service IN ('mqtt') AND src_port NOT IN (1883, 8883) AND dst_port NOT IN (1883, 8883) GROUP BY dst_ip, dst_port, capture ORDER BY frame;
