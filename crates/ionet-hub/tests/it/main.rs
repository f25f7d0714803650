//! The control plane against the real program on a real local chain, with agents that speak the real messages.

mod agent;
mod deployments;
mod lifecycle;
mod requests;
mod restarts;
mod sign_in;
mod tunnel;
mod world;
