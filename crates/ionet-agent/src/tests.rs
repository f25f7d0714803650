//! Agents against a small hub and real processes.

mod connection;
mod crash;
mod hub;
mod lifecycle;
mod prove;
mod ray;
mod sleeper;
mod tunnel;
