//! `mqtt`: control packets of MQTT.

use crate::table;

table! {
    /// One row per MQTT control packet (3.1, 3.1.1, 5.0), however many share a segment or segments a packet takes.
    pub struct Mqtt("mqtt", "message", Network) {
        /// Control packet type.
        msg_type: u8 = "mqtt.msgtype",
        /// `connect`, `connack`, `publish`, `puback`, `pubrec`, `pubrel`, `pubcomp`, `subscribe`, `suback`, `unsubscribe`, `unsuback`, `pingreq`, `pingresp`, `disconnect`, `auth`.
        msg_type_name: word,
        /// Sent by the TCP originator (normally the client).
        is_orig: bool,
        /// Protocol level of the connection: 3, 4 (3.1.1), 5; from this CONNECT or the connection's.
        version: u8 = "mqtt.ver",
        /// `MQIsdp` or `MQTT`.
        proto_name: word = "mqtt.protoname",
        /// CONNECT; empty string on the wire is null, and an id assigned in CONNACK (5.0) is put here.
        client_id: text = "mqtt.clientid",
        /// CONNECT: nothing is kept of an earlier session.
        clean_session: bool = "mqtt.conflag.cleansess",
        /// CONNECT: longest silence of the client.
        keep_alive_s: u16 = "mqtt.kalive",
        /// CONNECT: user name.
        username: word = "mqtt.username",
        /// CONNECT: password, as text.
        @secret password: text = "mqtt.passwd",
        /// CONNECT: where the broker publishes when the client is lost.
        will_topic: word = "mqtt.willtopic",
        /// CONNECT: what it publishes then.
        will_payload: bytes = "mqtt.willmsg",
        /// CONNECT: quality of service of that message.
        will_qos: u8 = "mqtt.conflag.qos",
        /// CONNECT: that message is kept for later subscribers.
        will_retain: bool = "mqtt.conflag.retain",
        /// CONNECT, AUTH: method of extended authentication (5.0).
        auth_method: word,
        /// CONNACK: the broker kept the session.
        session_present: bool = "mqtt.conack.flags.sp",
        /// CONNACK return code (3.x) or reason code (5.0), and those of PUBACK..DISCONNECT, AUTH.
        reason_code: u8 = "mqtt.conack.val|mqtt.connack.reason_code|mqtt.puback.reason_code|mqtt.disconnect.reason_code|mqtt.auth.reason_code",
        /// `accepted`, `bad_protocol_version`, `identifier_rejected`, `server_unavailable`, `bad_credentials`, `not_authorized`, or the 5.0 name.
        reason: word,
        /// Message identifier.
        packet_id: u16 = "mqtt.msgid",
        /// PUBLISH: 0 at most once, 1 at least once, 2 exactly once.
        qos: u8 = "mqtt.qos",
        /// PUBLISH: sent before.
        dup: bool = "mqtt.dupflag",
        /// PUBLISH: kept for later subscribers.
        retain: bool = "mqtt.retain",
        /// PUBLISH; a 5.0 topic alias is replaced by the topic it stands for.
        @bloom topic: word = "mqtt.topic",
        /// PUBLISH: number that stands for the topic (5.0).
        topic_alias: u16 = "mqtt.property.topic_alias",
        /// SUBSCRIBE, UNSUBSCRIBE filters.
        topics: list_text = "mqtt.topic",
        /// SUBSCRIBE: highest quality asked for, one a filter.
        requested_qos: list_u8 = "mqtt.sub.qos|mqtt.subscription_options_qos",
        /// SUBACK: granted quality or reason, one a filter; 128 and above refused.
        granted_qos: list_u8 = "mqtt.suback.qos|mqtt.suback.reason_code",
        /// PUBLISH: the message, its first MiB.
        payload: bytes = "mqtt.msg",
        /// PUBLISH: octets of the message.
        payload_len: u32,
        /// The payload when it is valid printable UTF-8.
        payload_text: text = "mqtt.msg_text",
        /// `json`, `text`, `sparkplug_b`, `protobuf`, `image`, `binary`, `empty`.
        payload_kind: word,
        /// Where an answer to the message is expected, of PUBLISH or of the will (5.0).
        response_topic: word,
        /// Type of the message, of PUBLISH or of the will in CONNECT (5.0).
        content_type: word = "mqtt.property.content_type",
        /// Properties of the application, `key=value` (5.0).
        user_properties: list_text,
        /// Remaining length.
        message_len: u32 = "mqtt.len",
        /// `bad_qos`, `reserved_type`, `bad_remaining_length`, `truncated`, `missing_connect`, `second_connect`, `bad_utf8`.
        malformed: word,
    }
}
