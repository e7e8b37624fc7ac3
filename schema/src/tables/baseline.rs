//! A network as it was known to be good: what `--baseline-compare` reads.

use crate::table;

table! {
    /// One row: the baseline that the captures are compared with.
    pub struct Baseline("baseline", "baseline", Brought) {
        /// File it was read from.
        path: text,
        /// Version of the tool that wrote it.
        version: text,
        /// When it was written, as it says.
        created_at: text,
        /// Form of the file: 1 lacks conversations and functions, 2 has them.
        form: u32,
        /// Captures it was made of.
        captures: u32,
        /// Seconds they lasted, together; null if it does not say.
        duration_s: f64,
    }
}

table! {
    /// One row per host of the baseline.
    pub struct BaselineHosts("baseline_hosts", "host", Brought) {
        /// Address.
        ip: text,
        /// Hardware addresses it had.
        macs: list_text,
        /// Names.
        hostnames: list_text,
        /// Operating system.
        os: text,
        /// Ports it answered on: `tcp/502`.
        ports: list_text,
    }
}

table! {
    /// One row per service of the baseline.
    pub struct BaselineServices("baseline_services", "service", Brought) {
        /// Address.
        ip: text,
        /// Port.
        port: u16,
        /// `tcp`, `udp`, `sctp`.
        protocol: text,
        /// Protocol spoken.
        service: text,
        /// Program, as it says.
        software: text,
        /// Addresses that used it.
        clients: list_text,
    }
}

table! {
    /// One row per OT command of the baseline.
    pub struct BaselineCommands("baseline_commands", "command", Brought) {
        /// Protocol and command.
        name: text,
        /// How often it was given.
        count: u64,
    }
}

table! {
    /// One row per point that was written or controlled in the baseline.
    pub struct BaselineTargets("baseline_targets", "target", Brought) {
        /// Protocol.
        protocol: text,
        /// Address and point.
        target: text,
        /// Commands to it.
        count: u64,
    }
}

table! {
    /// One row per conversation of the baseline.
    pub struct BaselineConversations("baseline_conversations", "conversation", Brought) {
        /// Who opened it.
        src: text,
        /// With whom.
        dst: text,
        /// `tcp`, `udp`, ...
        protocol: text,
        /// Protocol spoken.
        service: text,
        /// Flows.
        flows: u64,
        /// Payload bytes, both ways.
        bytes: u64,
    }
}

table! {
    /// One row per function that a client used at an industrial server in the baseline.
    pub struct BaselineFunctions("baseline_functions", "function of a pair", Brought) {
        /// Who asked.
        client: text,
        /// Who was asked.
        server: text,
        /// Protocol.
        protocol: text,
        /// Function, service or command.
        function: text,
        /// `read`, `write`, `control`, `program`, ...; null in older files.
        category: text,
        /// How often.
        count: u64,
    }
}
