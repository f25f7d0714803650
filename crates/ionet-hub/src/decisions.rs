//! What the hub decides, without the hub: pure functions of what is known at one moment. A simulation calls them as the reconcilers do.

pub use crate::agents::{Seen, away_since, on_our_clock};
pub use crate::epochs::gates::{Facts, Held, held};
pub use crate::epochs::uptime::{Grace, continuous_secs, downs, watched_until, watching_since};
pub use crate::epochs::watch::watch_on;
pub use crate::epochs::work::{Period, divide, minutes};
pub use crate::reconcilers::deployments::plan::{Action, Node, NodeState, Now, Purpose, plan, purpose};
pub use crate::reconcilers::metering::{Due, delivered, due, intent};
