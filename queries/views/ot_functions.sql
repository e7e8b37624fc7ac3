-- What was asked of industrial servers, one row a request, in the words of each protocol.
SELECT capture, capture_id, frame, ts, src_ip AS client, dst_ip AS server, 'modbus' AS protocol, CAST(func AS VARCHAR) AS function, CAST(category AS VARCHAR) AS category FROM modbus WHERE request_frame IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'dnp3', CAST(function AS VARCHAR), CAST(category AS VARCHAR) FROM dnp3 WHERE is_request AND function IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 's7comm', CAST(coalesce(pi_service, subfunction_name, function_name) AS VARCHAR),
  CASE WHEN function_name = 'write_variable' THEN 'write' WHEN function_name IN ('plc_stop', 'plc_control') THEN 'control' WHEN function_name LIKE '%download%' OR function_name LIKE '%upload%' THEN 'program' ELSE 'read' END
  FROM s7comm WHERE is_orig AND coalesce(pi_service, subfunction_name, function_name) IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'cip', CAST(service AS VARCHAR), CAST(category AS VARCHAR) FROM cip WHERE is_request AND service IS NOT NULL AND NOT coalesce(is_io, false)
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'pccc', CAST(function AS VARCHAR), CAST(category AS VARCHAR) FROM pccc WHERE is_request AND function IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'iec104', CAST(type_id AS VARCHAR), CAST(category AS VARCHAR) FROM iec104 WHERE is_orig AND type_id IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'bacnet', CAST(pdu_service AS VARCHAR), CAST(category AS VARCHAR) FROM bacnet WHERE is_request AND pdu_service IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'opcua', CAST(service AS VARCHAR), CASE service WHEN 'Write' THEN 'write' WHEN 'Call' THEN 'control' ELSE 'read' END FROM opcua WHERE is_request AND service IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'mms', CAST(service AS VARCHAR), CAST(category AS VARCHAR) FROM mms WHERE is_orig AND service IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'fins', CAST(command AS VARCHAR), CAST(category AS VARCHAR) FROM fins WHERE is_request AND command IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'melsec', CAST(command AS VARCHAR), CAST(category AS VARCHAR) FROM melsec WHERE is_request AND command IS NOT NULL
UNION ALL SELECT capture, capture_id, frame, ts, src_ip, dst_ip, 'umas', CAST(umas_function AS VARCHAR), CAST(category AS VARCHAR) FROM umas WHERE umas_function IS NOT NULL
