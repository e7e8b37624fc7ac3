//! Capture bytes to rows.
//!
//! A packet's way through this crate: [`capture`] finds and reads files and gives frames; [`packet`] decodes one frame down
//! to its transport payload; [`flow`] keeps conversations, puts fragments and streams together and asks who speaks;
//! [`protocols`] turns payloads into typed rows, [`decrypt`] helping where keys are given; [`text`] reads what is written in clear;
//! [`lake`] runs the whole over several threads and writes the tables. [`filter`] picks frames by an expression in tcpdump's
//! language; [`evidence`] reads frames, streams and files back.

pub mod capture;
pub mod decrypt;
pub mod evidence;
pub mod filter;
pub mod flow;
pub mod interrupt;
pub mod lake;
pub mod packet;
pub mod profile;
pub mod protocols;
pub mod selfcheck;
mod text;
pub mod wire;
