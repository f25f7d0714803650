//! The handlers, one file per noun. Each reads its request, says who may call it, asks the hub and answers: rules live in the hub.

pub(crate) mod activate;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod clusters;
pub(crate) mod devices;
pub(crate) mod epochs;
pub(crate) mod events;
pub(crate) mod faucet;
pub(crate) mod joins;
pub(crate) mod keys;
pub(crate) mod market;
pub(crate) mod network;
pub(crate) mod operators;
pub(crate) mod payments;
pub(crate) mod proofs;
pub(crate) mod quotes;
pub(crate) mod ray;
pub(crate) mod rewards;
pub(crate) mod slashes;
pub(crate) mod stakes;
pub(crate) mod tne;
pub(crate) mod transactions;
