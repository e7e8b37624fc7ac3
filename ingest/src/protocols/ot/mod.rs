//! Industrial protocols.

pub mod bacnet;
pub mod calendar;
pub mod cip;
pub mod coap;
pub mod cotp;
pub mod dnp3;
pub mod enip;
pub mod goose;
pub mod iec104;
pub mod mms;
pub mod modbus;
pub mod mqtt;
pub mod points;
pub mod ptp;
pub mod s7comm;
pub mod sv;
