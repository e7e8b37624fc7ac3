//! Rows to answers.
//!
//! [`catalog`] opens a lake as a DataFusion session; [`analyzer`] reads the reports and detections that stand in
//! `analyzers/*.sql`; [`run`] turns one into a [`report::Report`]; [`functions`] are what SQL itself lacks;
//! [`rules`] are a team's judgement over findings, [`plugins`] its own analyzers; [`examples`] are questions to start from, and
//! [`reference`] is all of it on one page.

pub mod across;
pub mod analyzer;
pub mod baseline;
pub mod catalog;
pub mod document;
pub mod examples;
pub mod functions;
pub mod geoip;
pub mod ioc;
pub mod nearest;
pub mod ot_rules;
pub mod plugins;
pub mod profile;
pub mod reference;
pub mod report;
pub mod rules;
pub mod run;
pub mod selfcheck;
pub mod settings;
pub mod statements;
pub mod suricata;
pub mod trust;

pub use datafusion;
pub use datafusion::error::DataFusionError;

/// Result of asking a question.
pub type Result<T> = std::result::Result<T, DataFusionError>;
