//! Pricing and placement: what a cluster costs, and on which devices it runs.
//!
//! Pure and in memory: `now`, a seed and the data come in, a decision comes out; the same arguments give the same decision everywhere.

pub mod fragmentation;
pub mod placement;
pub mod prices;
pub mod quote;
pub mod shape;

pub use fragmentation::{Choice, Costs, Forecast, Mix, Models, Supply};
pub use placement::{Candidate, Want, place};
pub use prices::{Model, PriceList, PriceListError};
pub use quote::{MarketError, Quoted, quote};
