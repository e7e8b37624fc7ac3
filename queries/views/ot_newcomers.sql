-- @kept
-- Stations that came to a controller late, after others had served it for a minute: one row a station and controller. `regulars`
-- are the stations that were there before; `far` says that the newcomer comes from another network (/24, /64) than the controller
-- while a regular does not.
WITH spoken AS (
  SELECT capture, capture_id, src_ip AS station, dst_ip AS device, service, dst_port AS port, CAST(ts AS BIGINT) AS since, CAST(end_ts AS BIGINT) AS until, frame, orig_packets + resp_packets AS packets FROM flows
  WHERE service IN ('bacnet', 'bsap', 'codesys', 'crimson', 'csp', 'df1', 'dnp3', 'enip', 'cip', 'pccc', 'fins', 'genisys', 'hart_ip', 'iec101_103', 'iec104', 'melsec', 'mms', 'modbus', 'umas', 'opcua', 'pcworx', 'proconos', 'profinet_cm', 's7comm', 'srtp', 'synchrophasor', 'tristation', 'niagara_fox')
    AND src_ip IS NOT NULL AND dst_ip IS NOT NULL AND resp_packets > 0
  UNION ALL
  -- Who opened a conversation that had begun before the capture, or has no beginning, is not known.
  SELECT capture, capture_id, dst_ip, src_ip, service, dst_port, CAST(ts AS BIGINT), CAST(end_ts AS BIGINT), frame, orig_packets + resp_packets FROM flows
  WHERE (transport <> 'tcp' OR history NOT LIKE 'S%') AND service IN ('bacnet', 'bsap', 'codesys', 'crimson', 'csp', 'df1', 'dnp3', 'enip', 'cip', 'pccc', 'fins', 'genisys', 'hart_ip', 'iec101_103', 'iec104', 'melsec', 'mms', 'modbus', 'umas', 'opcua', 'pcworx', 'proconos', 'profinet_cm', 's7comm', 'srtp', 'synchrophasor', 'tristation', 'niagara_fox') AND src_ip IS NOT NULL AND dst_ip IS NOT NULL AND resp_packets > 0),
met AS (SELECT min(capture) AS capture, capture_id, station, device, min(service) AS service, min(port) AS port, min(since) AS since, max(until) AS until, min(frame) AS frame, sum(packets) AS packets,
    regexp_replace(station, '([.][0-9]+|:[^:]*:[^:]*:[^:]*:[^:]*)$', '') = regexp_replace(device, '([.][0-9]+|:[^:]*:[^:]*:[^:]*:[^:]*)$', '') AS near FROM spoken GROUP BY capture_id, station, device),
earlier AS (
  -- Whatever two hosts said to each other before, and whoever opened it, makes them acquainted.
  SELECT m.capture_id, m.station, m.device, min(CAST(f.ts AS BIGINT)) AS since FROM met m JOIN flows f ON f.capture_id = m.capture_id AND (f.src_ip = m.station AND f.dst_ip = m.device) WHERE CAST(f.ts AS BIGINT) < m.since GROUP BY m.capture_id, m.station, m.device
  UNION ALL
  SELECT m.capture_id, m.station, m.device, min(CAST(f.ts AS BIGINT)) AS since FROM met m JOIN flows f ON f.capture_id = m.capture_id AND (f.dst_ip = m.station AND f.src_ip = m.device) WHERE CAST(f.ts AS BIGINT) < m.since GROUP BY m.capture_id, m.station, m.device),
spans AS (SELECT capture_id, min(CAST(ts AS BIGINT)) AS start, max(CAST(end_ts AS BIGINT)) AS stop FROM flows GROUP BY capture_id),
pairs AS (SELECT m.capture, m.capture_id, m.station, m.device, m.service, m.port, m.since, coalesce(least(m.since, min(e.since)), m.since) AS known_since, m.frame, m.packets, m.near FROM met m LEFT JOIN earlier e ON e.capture_id = m.capture_id AND e.station = m.station AND e.device = m.device
  GROUP BY m.capture, m.capture_id, m.station, m.device, m.service, m.port, m.since, m.frame, m.packets, m.near)
SELECT min(p.capture) AS capture, p.capture_id, p.station, p.device, min(p.service) AS service, min(p.port) AS port, min(p.since) AS since_ns, (min(p.since) - min(s.start)) / 1e9 AS after_s, min(p.frame) AS frame, count(*) AS regular_count,
  array_to_string(array_slice(array_sort(array_agg(r.station)), 1, 5), ', ') AS regulars, NOT bool_or(p.near) AND bool_or(r.near) AS far
FROM pairs p JOIN spans s ON s.capture_id = p.capture_id JOIN pairs r ON r.capture_id = p.capture_id AND r.device = p.device AND r.station <> p.station
WHERE p.known_since - s.start > greatest(60000000000, (s.stop - s.start) / 20) AND r.since <= p.known_since - 60000000000 AND r.packets >= 20
GROUP BY p.capture_id, p.station, p.device
