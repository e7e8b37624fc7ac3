//! Rows of the table of files for what was found in streams by its content.

use arrow::array::RecordBatch;
use pcapper_schema::{Common, TableSet};

use crate::protocols::files::{About, Follower};

/// Collects the rows.
#[derive(Default)]
pub struct FileRows(Option<Box<TableSet>>);

impl FileRows {
    /// Adds a file: in what frame and between whom it completes, and where it begins in the stream, if it lies in one.
    pub fn add(&mut self, common: &Common, content: &[u8], is_upload: bool, stream_offset: Option<u64>, complete: bool) {
        let mut follower = Follower::default();
        follower.push(content);
        let direction = if is_upload { "upload" } else { "download" };
        follower.write(self.0.get_or_insert_default(), common, direction, About { source: "carve", stream_offset, ..About::default() }, complete);
    }

    /// The rows, under the capture's name and id; `None` if there are none.
    pub fn finish(self, capture: &str, capture_id: &str) -> Option<RecordBatch> {
        // What is read out of their texts is a row of another table, and no file.
        self.0?.take_full(0, 0, capture, &|| capture_id).into_iter().find(|(def, _)| def.name == "files").map(|(_, rows)| rows)
    }
}
