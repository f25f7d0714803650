//! Agents against real processes.
