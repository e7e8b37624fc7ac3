//! Table of ot_commands records.

use crate::table;

table! {
    /// One row per control-plane command of any industrial protocol in one vocabulary: what a station asked a controller to do and what came of it, written beside the row of the protocol's own table. Reading of values has no rows here: see `process_values`.
    pub struct OtCommands("ot_commands", "command", Network) {
        /// Table it comes from: `modbus`, `iec104`, `dnp3`, `s7comm` ...
        protocol: word,
        /// `frame` of the row it came from; with protocol, the join key.
        record_frame: u64,
        /// Frame of the request.
        request_frame: u64,
        /// Frame of the answer.
        response_frame: u64,
        /// Who commanded: IP, or MAC on layer 2.
        @bloom actor: word,
        /// Name it gave itself (station name, client id).
        actor_name: word,
        /// Who was commanded: IP or MAC.
        @bloom target: word,
        /// Name it gave itself.
        target_name: word,
        /// Address behind the target: Modbus unit, DNP3 address, IEC 104 common address, rack/slot, BACnet device instance, logical device.
        target_unit: word,
        /// `write`, `setpoint`, `select`, `operate`, `cancel`, `start`, `stop`, `restart`, `download`, `upload`, `firmware`, `mode_change`, `force`, `time_set`, `config`, `delete`, `auth`, `reserve`, `diagnostic`, `discovery`, `subscribe`, `comm_control`.
        @bloom class: word,
        /// The protocol's own name of the command (`write_single_coil`, `plc_stop`, `_INSE`, `operate`).
        command: word,
        /// Its code in hex.
        command_code: word,
        /// What it acts on, in the protocol's notation.
        @bloom point: text,
        /// Value asked for, as text; null when there is none.
        value: text,
        /// Value that the same message or its answer says it had before.
        previous_value: text,
        /// Points acted on.
        quantity: u32,
        /// To a broadcast or multicast address or unit.
        is_broadcast: bool,
        /// `ok`, `refused`, `error`, `no_response`, `unconfirmed` (the protocol has no answer), `unknown` (only one direction captured).
        outcome: word,
        /// Reason of a refusal.
        error: text,
        /// Answer minus request.
        latency_ms: f64,
        /// `critical`, `high`, `medium`, `low`, `none`: by class, one more for each of `public_peer`, `broadcast` and `unauthenticated`, one less when refused.
        risk: word,
        /// `public_peer`, `broadcast`, `unauthenticated`, `program_change`, `cpu_state`.
        risk_reasons: list_text,
        /// ATT&CK for ICS techniques of the class.
        techniques: list_text,
        /// `high` decoded, `medium` partly decoded, `low` guessed from framing.
        confidence: word,
        /// Authenticated user behind it, where the session shows one.
        username: word,
    }
}
