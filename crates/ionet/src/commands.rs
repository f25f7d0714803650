//! The commands, one file each.

pub mod agent;
pub mod audit;
pub mod clusters;
pub mod devices;
pub mod epochs;
pub mod hardware;
pub mod hire;
pub mod joins;
pub mod keys;
pub mod network;
pub mod operator;
pub mod payments;
pub mod preflight;
pub mod prices;
pub mod quote;
pub mod rewards;
pub mod run;
pub mod scale;
pub mod slashes;
pub mod stakes;
pub mod tne;
pub mod transactions;
pub mod up;
pub mod wallet;
