//! Reads requests strictly: whatever is not exactly what a handler asked for becomes a 4xx problem before the handler runs.

mod json;
mod params;

pub use json::Json;
pub use params::{Path, Query};
