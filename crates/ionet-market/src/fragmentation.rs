//! How much a placement wastes: GPUs that will stay idle because what is left beside them suits nobody.
//!
//! [`Mix`] learns from arriving requests what is asked for, and makes of it, every so often, a [`Forecast`]: a few possible futures, and
//! the requests that only few devices can serve. [`Forecast::waste`] says of a device what those would leave of its GPUs. The cost of a
//! placement is the waste after it less the waste before; [`Costs`] finds the cheapest slot and remembers the waste of rooms.
//!
//! The waste has three terms, from heavy to light:
//!
//! 1. **What futures leave.** The device is filled with each future in turn, and what is then free of its GPUs is wasted. So a core too few
//!    for the next GPU counts from the moment it is missing, not when the last core is gone.
//! 2. **What picky requests lose.** A request for several GPUs, or for a model that few devices are of, is sent where it fits, so the order
//!    of a future says little about it. What the device can hold of it counts against the waste, by its share of all GPUs asked for, over
//!    the share of all free GPUs that could serve it.
//! 3. **Small rooms first.** Roots of the free CPU, memory and disk, in millionths of a GPU: they break ties, and pack devices without
//!    GPUs, of which nothing can be wasted.
//!
//! The one-step measure that this grew from is published as fragmentation gradient descent (USENIX ATC 2023, "Beware of Fragmentation").

mod costs;
mod forecast;
mod mix;
mod models;
#[cfg(test)]
mod tests;

pub use costs::{Choice, Costs};
pub use forecast::{Forecast, Supply};
pub use mix::Mix;
pub use models::Models;
