//! The pricing oracle: what an hour of each model costs, in each tier and region, and why (docs/PRICES.md).
//!
//! A price is micro-USD per GPU-hour, and per device-hour for models without a GPU. Each minute it takes a bounded step towards a target,
//! which a published formula makes of the model's reference price, of how scarce its devices are, and of what suppliers ask at least. The
//! same observations give the same prices everywhere: no float, clock or chance is in it.

mod cell;
mod curve;
mod explain;
mod history;
mod index;
mod observe;
mod policy;
mod rate;
mod state;
mod walk;

pub use cell::{Cell, CellError, Region};
pub use curve::{Bound, HIGHEST_BPS, LOWEST_BPS, PRIOR_MILLI, TARGET_UTILISATION_BPS, scarcity_ppm, utilisation_bps};
pub use explain::Explanation;
pub use history::{DAYS_KEPT, HOURS_KEPT, History};
pub use index::{INDEX_BASE_MICRO_POINTS, MAX_MODELS, Point, Series};
pub use observe::{Observations, SUPPLY_SHARE_BPS, Supply};
pub use policy::{HIGHEST_MULTIPLIER_BPS, LOWEST_MULTIPLIER_BPS, MultiplierError, Multipliers};
pub use rate::{Asked, Rates, highest_floor, node_rate, rates};
pub use state::{MAX_CELLS, Oracle, Updated};
pub use walk::STEP_PER_HOUR_BPS;
