//! Pricing and placement: what a cluster costs, and on which devices it runs.
//!
//! Pure and in memory: `now`, a seed and the data come in, a decision comes out; the same arguments give the same decision everywhere.

pub mod autoscale;
pub mod conditions;
pub mod durations;
pub mod fragmentation;
mod gang;
pub mod index;
pub mod machine;
pub mod names;
pub mod oracle;
pub mod placed;
pub mod preflight;
pub mod prices;
pub mod quote;
pub mod refusal;
pub mod replace;
pub mod request;
pub mod scan;
pub mod score;
pub mod shape;
pub mod strategy;
pub mod waste;

pub use fragmentation::{Choice, Costs, Forecast, Mix, Models, Supply};
pub use prices::{Model, PriceList, PriceListError};
pub use quote::{MarketError, Quoted, quote};
