//! The studio itself: takes commands, drives media, StreamCore and store, says what changed; the control server
//! and the command line.

pub mod cli;
pub mod control;
pub mod data_folder;
pub mod sentences;
pub mod studio;
