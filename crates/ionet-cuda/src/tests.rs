//! The engine against the processor's, bit for bit: on a processor that runs the cards' own kernels, and on a card where there is one.

mod committing;
mod compiled;
mod driver;
mod emulator;
mod engine;
mod found;
mod jobs;
