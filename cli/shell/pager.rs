//! Answers longer than the screen go through the user's pager.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use unicode_width::UnicodeWidthStr as _;

use crate::render::Output;
use crate::sql::sink::Sink;

/// Bytes that are held back at most before something is shown.
const HELD: usize = 256 << 10;

/// A screen, and behind it the pager once an answer does not fit.
pub struct Paged<'a> {
    out: &'a mut Output,
    /// Columns and rows of the screen; `None` where nobody watches one.
    screen: Option<(usize, usize)>,
    /// Wide lines are for the pager as well: it does not fold them.
    is_table: bool,
    held: Vec<u8>,
    pager: Option<Child>,
    /// No pager is wanted, or it could not be started.
    is_plain: bool,
}

impl<'a> Paged<'a> {
    pub fn new(out: &'a mut Output, screen: Option<(usize, usize)>, is_table: bool) -> Self {
        Self { out, screen, is_table, held: Vec::new(), pager: None, is_plain: screen.is_none() }
    }

    fn fits(&self) -> bool {
        let Some((columns, rows)) = self.screen else { return true };
        let text = String::from_utf8_lossy(&self.held);
        let mut lines = 0;
        for line in text.lines() {
            let width = line.width();
            if self.is_table && width > columns {
                return false;
            }
            lines += width.saturating_sub(1) / columns.max(1) + 1;
        }
        // The prompt and the time need a line each.
        lines + 2 <= rows
    }

    fn start(&mut self) {
        let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
        self.out.show_now();
        if !pager.trim().is_empty() {
            // The user's own setting may hold options, as every program that pages allows.
            let mut command = Command::new("sh");
            command.arg("-c").arg(&pager).stdin(Stdio::piped());
            if std::env::var_os("LESS").is_none() {
                command.env("LESS", "-SFRX");
            }
            self.pager = command.spawn().ok();
        }
        self.is_plain = self.pager.is_none();
    }

    /// Shows what is held back and waits until its reader has seen enough.
    pub fn finish(mut self) {
        let rest = std::mem::take(&mut self.held);
        let _ = self.pass(&rest);
        if let Some(mut pager) = self.pager.take() {
            drop(pager.stdin.take());
            while pager.wait().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted) {}
        }
    }

    fn pass(&mut self, bytes: &[u8]) -> bool {
        match &mut self.pager {
            Some(pager) => pager.stdin.as_mut().is_some_and(|input| input.write_all(bytes).is_ok()),
            None => {
                self.out.show(bytes);
                !self.out.is_broken()
            }
        }
    }
}

impl Sink for Paged<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<bool, String> {
        if self.pager.is_some() || self.is_plain {
            return Ok(self.pass(bytes));
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() < HELD && self.fits() {
            return Ok(true);
        }
        self.start();
        let held = std::mem::take(&mut self.held);
        Ok(self.pass(&held))
    }
}
