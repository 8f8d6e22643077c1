//! Products from a spreadsheet, saved as CSV.

mod columns;
mod read;

pub use read::{CsvError, Table, read};
