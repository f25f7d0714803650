//! Tests of epochs: the laws of the allocation, the tree, and the file that anyone can replay.
#![allow(clippy::unwrap_used, reason = "a test that unwraps an error has found what it looks for")]

mod allocation;
mod chain;
mod examples;
mod file;
mod hostile;
mod merkle;
mod world;
