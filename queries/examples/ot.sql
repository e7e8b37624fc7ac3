-- @table modbus
-- Who writes to which points?
SELECT src_ip, dst_ip, unit_id, func, point, write_values, count(*) AS times FROM modbus WHERE is_write GROUP BY src_ip, dst_ip, unit_id, func, point, write_values ORDER BY times DESC, src_ip, point;
-- Which requests were refused?
SELECT src_ip, dst_ip, func, exception, count(*) AS times FROM modbus WHERE exception IS NOT NULL GROUP BY src_ip, dst_ip, func, exception ORDER BY times DESC, src_ip;
-- Who polls how often?
SELECT src_ip, dst_ip, unit_id, func, count(*) AS requests, median_gap_s(ts) AS period_s FROM modbus GROUP BY src_ip, dst_ip, unit_id, func ORDER BY requests DESC, src_ip;
-- @table umas
-- Which functions of the controller are used?
SELECT src_ip, umas_function, status, count(*) AS times FROM umas GROUP BY src_ip, umas_function, status ORDER BY times DESC, src_ip, umas_function;
-- Which projects and programs are named?
SELECT src_ip, dst_ip, plc_name, project_name, client_name FROM umas WHERE project_name IS NOT NULL OR plc_name IS NOT NULL GROUP BY src_ip, dst_ip, plc_name, project_name, client_name ORDER BY src_ip;
-- Who starts, stops or loads the controller?
SELECT ts, src_ip, dst_ip, umas_function FROM umas WHERE category IN ('start', 'stop', 'download') ORDER BY ts, request_frame;
-- @table dnp3
-- Which functions are used between which stations?
SELECT link_source, link_destination, function, count(*) AS messages FROM dnp3 WHERE function IS NOT NULL GROUP BY link_source, link_destination, function ORDER BY messages DESC, link_source, function;
-- Which stations report trouble?
SELECT src_ip, link_source, iin_names, count(*) AS messages FROM dnp3 WHERE iin > 0 GROUP BY src_ip, link_source, iin_names ORDER BY messages DESC, src_ip;
-- Who restarts a station or writes its clock?
SELECT ts, src_ip, dst_ip, function, time_set FROM dnp3 WHERE function LIKE '%restart%' OR time_set IS NOT NULL ORDER BY ts, frame;
-- @table dnp3_objects
-- Which outputs were operated?
SELECT ts, src_ip, dst_ip, index_number, crob_operation, trip_control_code, status FROM dnp3_objects WHERE crob_operation IS NOT NULL ORDER BY ts, frame, object_index;
-- How did analog points move?
SELECT link_source, index_number, min(value) AS low, max(value) AS high, count(*) AS readings FROM dnp3_objects WHERE value IS NOT NULL GROUP BY link_source, index_number ORDER BY readings DESC, link_source, index_number;
-- Which operations had no select before them?
SELECT ts, src_ip, dst_ip, index_number FROM dnp3_objects WHERE function = 'operate' AND select_frame IS NULL ORDER BY ts, frame;
-- @table iec104
-- What kinds of messages are exchanged?
SELECT src_ip, dst_ip, frame_type, type_id, cot, count(*) AS messages FROM iec104 GROUP BY src_ip, dst_ip, frame_type, type_id, cot ORDER BY messages DESC, src_ip, type_id;
-- Which commands were refused?
SELECT ts, src_ip, dst_ip, type_id, first_ioa FROM iec104 WHERE negative ORDER BY ts, frame;
-- Who starts and stops the transfer of data?
SELECT ts, src_ip, dst_ip, u_function FROM iec104 WHERE u_function LIKE '%DT%' ORDER BY ts, frame;
-- @table iec104_objects
-- Which points were commanded?
SELECT ts, src_ip, common_address, ioa, command, "select", value_text FROM iec104_objects WHERE command IS NOT NULL ORDER BY ts, frame, ioa;
-- How did measured values move?
SELECT common_address, ioa, type_id, min(value) AS low, max(value) AS high, count(*) AS readings FROM iec104_objects WHERE value IS NOT NULL GROUP BY common_address, ioa, type_id ORDER BY readings DESC, common_address, ioa;
-- Which values are not to be trusted?
SELECT common_address, ioa, quality_names, count(*) AS readings FROM iec104_objects WHERE quality > 0 GROUP BY common_address, ioa, quality_names ORDER BY readings DESC, common_address, ioa;
-- @table iec101_103
-- Which stations speak on the line?
SELECT protocol, link_address, common_address, count(*) AS frames FROM iec101_103 GROUP BY protocol, link_address, common_address ORDER BY frames DESC, link_address;
-- Which types of data are sent?
SELECT protocol, type_id, cot, count(*) AS messages FROM iec101_103 WHERE type_id IS NOT NULL GROUP BY protocol, type_id, cot ORDER BY messages DESC, type_id;
-- Which frames were damaged?
SELECT ts, src_ip, frame_format FROM iec101_103 WHERE NOT checksum_ok ORDER BY ts, frame;
-- @table goose
-- Which streams are there, and who sends them?
SELECT gocb_ref, src_mac, appid, count(*) AS messages, count(DISTINCT st_num) AS states FROM goose GROUP BY gocb_ref, src_mac, appid ORDER BY messages DESC, gocb_ref, src_mac;
-- When did a value change?
SELECT ts, gocb_ref, st_num, "values" FROM goose WHERE data_changed ORDER BY ts, frame;
-- Which messages are marked as simulated or tests?
SELECT ts, gocb_ref, src_mac, simulation, simulation_bit FROM goose WHERE simulation OR simulation_bit ORDER BY ts, frame;
-- @table sv
-- Which sampled streams are there?
SELECT sv_id, src_mac, appid, smp_rate, count(*) AS samples FROM sv GROUP BY sv_id, src_mac, appid, smp_rate ORDER BY samples DESC, sv_id;
-- Where are samples missing?
SELECT sv_id, ts, smp_cnt, smp_cnt - lag(smp_cnt) OVER (PARTITION BY sv_id, src_mac ORDER BY frame, asdu_index) AS step FROM sv ORDER BY step DESC NULLS LAST, ts LIMIT 20;
-- Which streams lost their clock?
SELECT sv_id, smp_synch, count(*) AS samples FROM sv GROUP BY sv_id, smp_synch ORDER BY samples DESC, sv_id;
-- @table mms
-- Which services are used?
SELECT src_ip, dst_ip, service, count(*) AS messages FROM mms WHERE service IS NOT NULL GROUP BY src_ip, dst_ip, service ORDER BY messages DESC, src_ip, service;
-- Which controls were operated?
SELECT ts, src_ip, dst_ip, domain, item, control_action, ctl_value FROM mms WHERE control_action IS NOT NULL ORDER BY ts, frame;
-- What do devices say they are?
SELECT src_ip, vendor, model, revision FROM mms WHERE model IS NOT NULL GROUP BY src_ip, vendor, model, revision ORDER BY src_ip;
-- @table iccp
-- Which control centres exchange data?
SELECT src_ip, dst_ip, domain, bilateral_table_id, count(*) AS messages FROM iccp GROUP BY src_ip, dst_ip, domain, bilateral_table_id ORDER BY messages DESC, src_ip;
-- Which devices were operated?
SELECT ts, src_ip, operation, object_name, "values" FROM iccp WHERE conformance_block = 5 ORDER BY ts, frame;
-- Which values are not to be trusted?
SELECT dataset, qualities, count(*) AS reports FROM iccp WHERE qualities IS NOT NULL GROUP BY dataset, qualities ORDER BY reports DESC, dataset;
-- @table s7comm
-- Which functions are used?
SELECT src_ip, dst_ip, function_name, subfunction_name, count(*) AS messages FROM s7comm GROUP BY src_ip, dst_ip, function_name, subfunction_name ORDER BY messages DESC, src_ip;
-- Who loads, starts or stops a controller?
SELECT ts, src_ip, dst_ip, function_name, block_filename, pi_service FROM s7comm WHERE pi_service IS NOT NULL OR block_filename IS NOT NULL ORDER BY ts, frame;
-- What are the controllers?
SELECT src_ip, order_number, module_name, plc_name, serial_number, firmware FROM s7comm WHERE order_number IS NOT NULL OR plc_name IS NOT NULL GROUP BY src_ip, order_number, module_name, plc_name, serial_number, firmware ORDER BY src_ip;
-- @table s7comm_items
-- Which points were written?
SELECT src_ip, dst_ip, point, value_text, return_name, count(*) AS times FROM s7comm_items WHERE operation = 'write' GROUP BY src_ip, dst_ip, point, value_text, return_name ORDER BY times DESC, src_ip, point;
-- Which points are read most?
SELECT point, count(*) AS readings FROM s7comm_items WHERE operation = 'read' GROUP BY point ORDER BY readings DESC, point LIMIT 20;
-- Which items were refused?
SELECT point, operation, return_name, count(*) AS times FROM s7comm_items WHERE return_code <> 255 GROUP BY point, operation, return_name ORDER BY times DESC, point;
-- @table enip
-- Which devices are there?
SELECT src_ip, vendor, product_name, device_type, revision, serial_number FROM enip WHERE product_name IS NOT NULL GROUP BY src_ip, vendor, product_name, device_type, revision, serial_number ORDER BY src_ip;
-- Who looks for devices?
SELECT src_ip, command, count(*) AS messages FROM enip WHERE command LIKE 'list%' AND is_request GROUP BY src_ip, command ORDER BY messages DESC, src_ip;
-- What failed?
SELECT src_ip, dst_ip, command, status, count(*) AS times FROM enip WHERE status_code > 0 GROUP BY src_ip, dst_ip, command, status ORDER BY times DESC, src_ip;
-- @table cip
-- Which services are called on which classes?
SELECT service, class_name, count(*) AS calls FROM cip WHERE is_request GROUP BY service, class_name ORDER BY calls DESC, service, class_name;
-- Which tags were written?
SELECT ts, src_ip, dst_ip, symbol, "values" FROM cip WHERE is_request AND category = 'write' ORDER BY ts, frame, service_index;
-- Who resets a device?
SELECT ts, src_ip, dst_ip, service, reset_type FROM cip WHERE service = 'reset' ORDER BY ts, frame;
-- @table pccc
-- Which functions are used?
SELECT src_ip, dst_ip, function, category, count(*) AS messages FROM pccc GROUP BY src_ip, dst_ip, function, category ORDER BY messages DESC, src_ip;
-- Which files of a controller are written?
SELECT ts, src_ip, dst_ip, function, point FROM pccc WHERE category = 'write' ORDER BY ts, frame;
-- Who changes the mode of a processor?
SELECT ts, src_ip, dst_ip, cpu_mode_name FROM pccc WHERE cpu_mode IS NOT NULL ORDER BY ts, frame;
-- @table df1
-- Which commands are sent?
SELECT source, destination, function, count(*) AS messages FROM df1 GROUP BY source, destination, function ORDER BY messages DESC, source, function;
-- Which messages are damaged?
SELECT ts, src_ip, check_kind FROM df1 WHERE NOT check_ok ORDER BY ts, frame;
-- Which points are written?
SELECT ts, source, destination, point FROM df1 WHERE category = 'write' ORDER BY ts, frame;
-- @table csp
-- Which functions are asked for?
SELECT src_ip, dst_ip, mode, submode, count(*) AS messages FROM csp GROUP BY src_ip, dst_ip, mode, submode ORDER BY messages DESC, src_ip;
-- What failed?
SELECT ts, src_ip, dst_ip, status FROM csp WHERE status > 0 ORDER BY ts, frame;
-- Which connections carry PCCC?
SELECT connection_handle, count(*) AS messages FROM csp WHERE has_pccc GROUP BY connection_handle ORDER BY messages DESC, connection_handle;
-- @table bacnet
-- Which devices are there?
SELECT src_ip, device_instance, vendor_id, max_apdu FROM bacnet WHERE device_instance IS NOT NULL GROUP BY src_ip, device_instance, vendor_id, max_apdu ORDER BY device_instance, src_ip;
-- Who writes properties, with which priority?
SELECT ts, src_ip, dst_ip, object_type, instance_number, property, value, write_priority FROM bacnet WHERE category = 'write' ORDER BY ts, frame;
-- Who restarts devices or silences them?
SELECT ts, src_ip, dst_ip, device_state, communication_state FROM bacnet WHERE device_state IS NOT NULL OR communication_state IS NOT NULL ORDER BY ts, frame;
-- @table opcua
-- Which servers are there, and how are they protected?
SELECT dst_ip, endpoint_url, security_policy, security_mode, count(*) AS messages FROM opcua WHERE endpoint_url IS NOT NULL OR security_policy IS NOT NULL GROUP BY dst_ip, endpoint_url, security_policy, security_mode ORDER BY messages DESC, dst_ip;
-- Which nodes are written?
SELECT ts, src_ip, dst_ip, node_ids, "values" FROM opcua WHERE service = 'Write' AND is_request ORDER BY ts, frame;
-- As whom do clients log in?
SELECT src_ip, dst_ip, identity_type, username, count(*) AS sessions FROM opcua WHERE identity_type IS NOT NULL GROUP BY src_ip, dst_ip, identity_type, username ORDER BY sessions DESC, src_ip;
-- @table mqtt
-- Which topics are published, by whom?
SELECT src_ip, topic, count(*) AS messages, sum(payload_len) AS bytes FROM mqtt WHERE topic IS NOT NULL GROUP BY src_ip, topic ORDER BY messages DESC, src_ip, topic;
-- Who connects without a user name?
SELECT src_ip, dst_ip, client_id, count(*) AS connections FROM mqtt WHERE msg_type_name = 'connect' AND username IS NULL GROUP BY src_ip, dst_ip, client_id ORDER BY connections DESC, src_ip;
-- Who subscribes to everything?
SELECT ts, src_ip, topics FROM mqtt WHERE array_has(topics, '#') ORDER BY ts, frame;
-- @table coap
-- Which resources are asked for?
SELECT dst_ip, method, uri_path, count(*) AS requests FROM coap WHERE is_request GROUP BY dst_ip, method, uri_path ORDER BY requests DESC, dst_ip, uri_path;
-- What failed?
SELECT src_ip, status, count(*) AS times FROM coap WHERE code >= 128 GROUP BY src_ip, status ORDER BY times DESC, src_ip;
-- Who changes something?
SELECT ts, src_ip, dst_ip, method, uri_path, payload_text FROM coap WHERE method IN ('put', 'post', 'delete') ORDER BY ts, frame;
-- @table profinet_dcp
-- Which stations are there?
SELECT src_mac, name_of_station, ip, device_vendor, device_roles FROM profinet_dcp WHERE name_of_station IS NOT NULL GROUP BY src_mac, name_of_station, ip, device_vendor, device_roles ORDER BY name_of_station, src_mac;
-- Who gives stations a name or address?
SELECT ts, src_mac, dst_mac, options, name_of_station, ip FROM profinet_dcp WHERE service = 'set' ORDER BY ts, frame;
-- Which addresses are taken twice?
SELECT ts, src_mac, ip FROM profinet_dcp WHERE ip_conflict ORDER BY ts, frame;
-- @table profinet_rt
-- Which cyclic streams are there?
SELECT src_mac, dst_mac, frame_id, frame_class, count(*) AS frames, median_gap_s(ts) AS period_s FROM profinet_rt GROUP BY src_mac, dst_mac, frame_id, frame_class ORDER BY frames DESC, src_mac;
-- Which providers stopped or failed?
SELECT ts, src_mac, frame_id, ds_run, ds_ok FROM profinet_rt WHERE NOT ds_run OR NOT ds_ok ORDER BY ts, frame;
-- Which alarms were raised?
SELECT ts, src_mac, alarm_type_name, alarm_slot, alarm_subslot FROM profinet_rt WHERE alarm_type_name IS NOT NULL ORDER BY ts, frame;
-- @table profinet_cm
-- Which connections are set up?
SELECT ts, src_ip, dst_ip, station_name, ar_type_name, operation_name FROM profinet_cm WHERE ar_uuid IS NOT NULL ORDER BY ts, frame;
-- Which records are written?
SELECT ts, src_ip, dst_ip, slot, subslot, index_name, record_length FROM profinet_cm WHERE operation_name = 'write' ORDER BY ts, frame;
-- What went wrong?
SELECT ts, src_ip, operation_name, error FROM profinet_cm WHERE error IS NOT NULL ORDER BY ts, frame;
-- @table ethercat
-- Which commands run in the ring?
SELECT cmd, pass, count(*) AS datagrams FROM ethercat GROUP BY cmd, pass ORDER BY datagrams DESC, cmd;
-- Which slaves are in error?
SELECT ts, slave_address, al_state, al_status_code FROM ethercat WHERE al_error ORDER BY ts, frame;
-- Which objects were changed over the mailbox?
SELECT ts, slave_address, sdo_command, sdo_index, sdo_subindex FROM ethercat WHERE sdo_command LIKE '%download%' ORDER BY ts, frame;
-- @table ptp
-- Which clocks are there, and which is grandmaster?
SELECT source_clock, gm_clock, gm_class, priority1, domain, count(*) AS messages FROM ptp WHERE gm_clock IS NOT NULL GROUP BY source_clock, gm_clock, gm_class, priority1, domain ORDER BY messages DESC, source_clock;
-- When did the grandmaster change?
SELECT ts, domain, gm_clock FROM (SELECT ts, domain, gm_clock, lag(gm_clock) OVER (PARTITION BY domain ORDER BY frame) AS before FROM ptp WHERE gm_clock IS NOT NULL) AS seen WHERE gm_clock <> before ORDER BY ts, domain;
-- Who manages clocks?
SELECT ts, src_ip, management_action_name, management_name FROM ptp WHERE management_name IS NOT NULL ORDER BY ts, frame;
-- @table synchrophasor
-- Which stations send phasors?
SELECT src_ip, id_code, station_names, data_rate FROM synchrophasor WHERE station_names IS NOT NULL GROUP BY src_ip, id_code, station_names, data_rate ORDER BY src_ip, id_code;
-- How did the frequency move?
SELECT id_code, min(frequency) AS low_hz, max(frequency) AS high_hz FROM (SELECT id_code, unnest(frequency_hz) AS frequency FROM synchrophasor) AS readings GROUP BY id_code ORDER BY id_code;
-- Who turns a stream on or off?
SELECT ts, src_ip, dst_ip, command_name FROM synchrophasor WHERE command_name IS NOT NULL ORDER BY ts, frame;
-- @table fins
-- Which commands are sent?
SELECT src_ip, dst_ip, command, count(*) AS messages FROM fins WHERE is_request GROUP BY src_ip, dst_ip, command ORDER BY messages DESC, src_ip, command;
-- Which memory is written?
SELECT ts, src_ip, dst_ip, point, "values" FROM fins WHERE category = 'write' ORDER BY ts, frame;
-- What are the controllers?
SELECT src_ip, controller_model, controller_version FROM fins WHERE controller_model IS NOT NULL GROUP BY src_ip, controller_model, controller_version ORDER BY src_ip;
-- @table melsec
-- Which commands are sent?
SELECT src_ip, dst_ip, command, category, count(*) AS messages FROM melsec WHERE is_request GROUP BY src_ip, dst_ip, command, category ORDER BY messages DESC, src_ip, command;
-- Which devices are written?
SELECT ts, src_ip, dst_ip, point, "values" FROM melsec WHERE category = 'write' AND is_request ORDER BY ts, frame;
-- What was refused?
SELECT src_ip, end_text, count(*) AS times FROM melsec WHERE end_code > 0 GROUP BY src_ip, end_text ORDER BY times DESC, src_ip;
-- @table srtp
-- Which services are called?
SELECT src_ip, dst_ip, service, segment, count(*) AS messages FROM srtp GROUP BY src_ip, dst_ip, service, segment ORDER BY messages DESC, src_ip;
-- Which states do controllers report?
SELECT src_ip, plc_state, run_switch, count(*) AS messages FROM srtp WHERE plc_state IS NOT NULL GROUP BY src_ip, plc_state, run_switch ORDER BY messages DESC, src_ip;
-- What was refused?
SELECT ts, src_ip, service, error FROM srtp WHERE error IS NOT NULL ORDER BY ts, frame;
-- @table hart_ip
-- Which instruments are there?
SELECT src_ip, long_address, tag, long_tag, manufacturer_id FROM hart_ip WHERE tag IS NOT NULL OR long_tag IS NOT NULL GROUP BY src_ip, long_address, tag, long_tag, manufacturer_id ORDER BY src_ip, long_address;
-- What do they measure?
SELECT long_address, min(primary_value) AS low, max(primary_value) AS high, count(*) AS readings FROM hart_ip WHERE primary_value IS NOT NULL GROUP BY long_address ORDER BY readings DESC, long_address;
-- Which settings were written?
SELECT ts, src_ip, dst_ip, command, write_value FROM hart_ip WHERE write_value IS NOT NULL ORDER BY ts, frame;
-- @table genisys
-- Which field units are polled?
SELECT server, header, direction, count(*) AS messages FROM genisys GROUP BY server, header, direction ORDER BY messages DESC, server, header;
-- Which controls or indications changed?
SELECT ts, server, direction, changed_bits FROM genisys WHERE changed_bits IS NOT NULL ORDER BY ts, frame;
-- Which messages were damaged?
SELECT ts, server, crc_transmitted, crc_calculated FROM genisys WHERE NOT crc_ok ORDER BY ts, frame;
-- @table bsap
-- Which functions are used?
SELECT src_ip, dst_ip, function, category, count(*) AS messages FROM bsap GROUP BY src_ip, dst_ip, function, category ORDER BY messages DESC, src_ip;
-- Which variables are read or written?
SELECT ts, src_ip, category, variables, "values" FROM bsap WHERE variables IS NOT NULL ORDER BY ts, frame;
-- What failed?
SELECT ts, src_ip, function, error_code FROM bsap WHERE error_code > 0 ORDER BY ts, frame;
-- @table codesys
-- Which runtimes are there?
SELECT src_ip, os_name, product, node_name, device_name, firmware_version FROM codesys WHERE product IS NOT NULL OR node_name IS NOT NULL GROUP BY src_ip, os_name, product, node_name, device_name, firmware_version ORDER BY src_ip;
-- Which services are called?
SELECT src_ip, dst_ip, service_group_name, service_name, count(*) AS messages FROM codesys GROUP BY src_ip, dst_ip, service_group_name, service_name ORDER BY messages DESC, src_ip;
-- Who opens sessions?
SELECT session_id, src_ip, dst_ip, count(*) AS messages FROM codesys WHERE session_id IS NOT NULL GROUP BY session_id, src_ip, dst_ip ORDER BY messages DESC, session_id;
-- @table crimson
-- Which devices are there?
SELECT src_ip, manufacturer, model FROM crimson WHERE model IS NOT NULL GROUP BY src_ip, manufacturer, model ORDER BY src_ip;
-- Which registers are used?
SELECT src_ip, dst_ip, "register", operation, count(*) AS messages FROM crimson GROUP BY src_ip, dst_ip, "register", operation ORDER BY messages DESC, src_ip;
-- What do messages say?
SELECT ts, src_ip, "text" FROM crimson WHERE "text" IS NOT NULL ORDER BY ts, frame;
-- @table niagara_fox
-- Which stations are there?
SELECT src_ip, hostname, station_name, app_name, app_version, os_name FROM niagara_fox WHERE station_name IS NOT NULL OR hostname IS NOT NULL GROUP BY src_ip, hostname, station_name, app_name, app_version, os_name ORDER BY src_ip;
-- As whom do clients log in?
SELECT src_ip, dst_ip, username, auth_method, count(*) AS messages FROM niagara_fox WHERE username IS NOT NULL GROUP BY src_ip, dst_ip, username, auth_method ORDER BY messages DESC, src_ip;
-- Which channels are used?
SELECT channel, command, count(*) AS messages FROM niagara_fox GROUP BY channel, command ORDER BY messages DESC, channel, command;
-- @table pcworx
-- Which controllers are there?
SELECT src_ip, plc_type, model_number, firmware_version, firmware_date FROM pcworx WHERE plc_type IS NOT NULL OR firmware_version IS NOT NULL GROUP BY src_ip, plc_type, model_number, firmware_version, firmware_date ORDER BY src_ip;
-- Which functions are called?
SELECT src_ip, dst_ip, function, count(*) AS messages FROM pcworx GROUP BY src_ip, dst_ip, function ORDER BY messages DESC, src_ip;
-- Which sessions are there?
SELECT session_id, src_ip, dst_ip, count(*) AS messages FROM pcworx GROUP BY session_id, src_ip, dst_ip ORDER BY messages DESC, session_id;
-- @table proconos
-- Which controllers are there?
SELECT src_ip, plc_type, runtime, project_name, boot_project FROM proconos WHERE plc_type IS NOT NULL GROUP BY src_ip, plc_type, runtime, project_name, boot_project ORDER BY src_ip;
-- Which commands are sent?
SELECT src_ip, dst_ip, command, count(*) AS messages FROM proconos GROUP BY src_ip, dst_ip, command ORDER BY messages DESC, src_ip;
-- Where is the source of the project kept?
SELECT src_ip, project_name, project_source FROM proconos WHERE project_source IS NOT NULL GROUP BY src_ip, project_name, project_source ORDER BY src_ip;
-- @table tristation
-- Which functions are called on the safety controller?
SELECT src_ip, dst_ip, function, category, count(*) AS messages FROM tristation GROUP BY src_ip, dst_ip, function, category ORDER BY messages DESC, src_ip;
-- Who loads, starts or stops a program?
SELECT ts, src_ip, dst_ip, function, program_name FROM tristation WHERE category IN ('program', 'mode') ORDER BY ts, frame;
-- Where stands the key, and what runs?
SELECT ts, src_ip, key_state, run_state, program_name FROM tristation WHERE key_state IS NOT NULL OR run_state IS NOT NULL ORDER BY ts, frame;
