-- @analyzer ctf
-- @group    it
-- @title    FLAGS AND PUZZLES
-- @help     Flags of capture-the-flag games in clear or under common encodings, and where puzzles hide

-- @section summary shape=facts
SELECT (SELECT count(DISTINCT flag) FROM found_flags) AS flags, (SELECT count(*) FROM strings WHERE kind = 'flag_placeholder') AS placeholders, (SELECT count(*) FROM text_scans) AS "Texts read", (SELECT count(*) FROM encoded_strings) AS encoded_tokens, (SELECT count(*) FROM files) AS files,
  (SELECT count(*) FROM covert_series) AS "Series that read as text";

-- @section "Flags" shape=table
SELECT flag, coalesce(array_to_string(chain, ' > '), '-') AS decoding, place, src_ip AS source, dst_ip AS target, stream_offset AS at, filename AS file, min(frame) AS frame, count(*) AS times FROM found_flags GROUP BY capture, flag, chain, place, src_ip, dst_ip, stream_offset, filename ORDER BY coalesce(cardinality(chain), 0), min(ts), frame, flag;

-- @section "Placeholders" shape=table limit=10
SELECT value, context, src_ip AS source, frame FROM strings WHERE kind = 'flag_placeholder' ORDER BY capture, frame, value;

-- @section "Files worth a look" shape=table limit=25
SELECT filename AS name, mime AS type, size_bytes, round(entropy, 2) AS entropy, array_to_string(marks, ', ') AS marks, source, src_ip AS sender, frame FROM seen_files
WHERE marks IS NOT NULL OR regexp_like(lower(filename), '(^|[\\/])(flag|user|root|proof)[.]txt$|[.](kdbx?|pcap|pcapng)$|id_rsa|secret|hidden|steg') OR (family IS NOT NULL AND name_family IS NOT NULL AND family <> name_family) ORDER BY capture, frame, name;

-- @section "Covert channels worth a look" shape=table limit=25
SELECT place, src_ip AS source, dst_ip AS target, packets, length(text) AS length, substr(text, 1, 64) AS text, frame FROM covert_series ORDER BY packets DESC, place, source, target;

-- @section "Keys and hashes" shape=table limit=25
SELECT what, detail, source, target, frame FROM (
  SELECT 'private key' AS what, context AS detail, src_ip AS source, dst_ip AS target, frame, capture FROM encoded_strings WHERE secret_kind = 'private_key'
  UNION ALL SELECT 'key', value, src_ip, dst_ip, frame, capture FROM strings WHERE kind = 'key'
  UNION ALL SELECT 'hashcat mode ' || CAST(hashcat_mode AS VARCHAR), protocol || ' ' || coalesce(username, ''), src_ip, dst_ip, frame, capture FROM credentials WHERE hashcat_mode IS NOT NULL
  UNION ALL SELECT 'WPA handshake', 'messages ' || array_to_string(array_sort(array_agg(DISTINCT eapol_message)), ', ') || coalesce(' of ' || min(bssid), ''), min(transmitter), min(receiver), min(frame), capture FROM wlan WHERE eapol_message IS NOT NULL GROUP BY capture, bssid) ORDER BY capture, frame, what, detail;

-- @section "Encoded strings" shape=table limit=25
SELECT array_to_string(chain, ' > ') AS decoding, context, key_name AS name, decoded_mime AS type, decoded_len AS decoded_bytes, round(printable_ratio, 2) AS printable, decoded_text AS text, src_ip AS source, frame FROM encoded_strings WHERE chain IS NOT NULL ORDER BY cardinality(chain) DESC, printable_ratio DESC, capture, frame;

-- @finding ctf_flag severity=info confidence=high
SELECT 'A flag' AS title, flag || ' in ' || place AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, capture FROM found_flags WHERE chain IS NULL GROUP BY capture, capture_id, flag, place, src_ip, dst_ip ORDER BY capture, frame, details;

-- @finding ctf_flag_encoded severity=info confidence=high technique=T1027
SELECT 'An encoded flag' AS title, flag || ' in ' || place || ', ' || array_to_string(chain, ' > ') AS details, src_ip, dst_ip, count(*) AS count, min(frame) AS frame, array_slice(array_sort(array_agg(frame)), 1, 20) AS frames, min(ts) AS ts, capture FROM found_flags WHERE chain IS NOT NULL GROUP BY capture, capture_id, flag, place, chain, src_ip, dst_ip ORDER BY capture, frame, details;

-- @finding ctf_covert_channel severity=low confidence=low technique=T1095,T1001
SELECT 'A series of octets reads as text' AS title, place || ': ' || substr(text, 1, 64) AS details, src_ip, dst_ip, packets AS count, frame, frames, ts, end_ts, capture FROM covert_series WHERE packets >= 32 AND place <> 'icmp payload' OR packets >= 16 AND place = 'icmp payload' ORDER BY capture, frame, details;

-- @finding ctf_file_hidden severity=low confidence=medium technique=T1027.003
SELECT 'A picture holds more than a picture' AS title, coalesce(filename, '(no name)') || ', ' || mime || ': ' || array_to_string(marks, ', ') AS details, src_ip, dst_ip, dst_port, frame, ts, capture FROM files WHERE array_has_any(marks, ['trailing_data', 'embedded_file']) ORDER BY capture, frame, details;
