//! What goes wrong: cuts, crashes, reboots, clocks that are set, processes that die, a hub that stands still.

use crate::Millis;
use crate::random::Random;

/// Mean time between two faults, milliseconds, for a network of a hundred agents.
const EVERY: Millis = 6_000;
/// A clock that is further off than this was set, and its agent is not killed until it is right again: what a fresh agent then takes for the
/// time is wrong, and a lease by the time of day cannot help that.
pub(crate) const CLOCK_IS_SET_SECS: i64 = 600;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An agent is cut off for so long.
    Cut { agent: usize, for_millis: Millis },
    /// So many agents in a row are cut off.
    CutMany { first: usize, count: usize, for_millis: Millis },
    /// The agent's process is killed, and begins anew after so long.
    KillAgent { agent: usize, for_millis: Millis },
    /// The machine starts anew.
    Reboot { agent: usize, for_millis: Millis },
    /// A machine's clock is set by so much, and is right again after so long.
    SetClock { agent: usize, by_secs: i64, for_millis: Millis },
    /// A tenant's process dies.
    KillTenant { agent: usize },
    /// The hub's process is killed, and begins anew after so long.
    KillHub { for_millis: Millis },
    /// The hub's process stands still.
    StopHub { for_millis: Millis },
    /// Nobody reaches the chain.
    CutChain { for_millis: Millis },
}

/// When the next fault comes, from now.
pub(crate) fn pause(agents: usize, random: &mut Random) -> Millis {
    let every = EVERY * 100 / Millis::try_from(agents.max(1)).unwrap_or(100);
    random.between(1, every * 2)
}

/// Short mostly, long at times.
fn span(random: &mut Random, longest: Millis) -> Millis {
    let most = if random.chance(7_000) { longest / 15 } else { longest };
    random.between(200, most.max(201))
}

/// Draws one. Where the hub is calm it fails a fifth as often, so that more of what happens is in its sight.
pub(crate) fn draw(agents: usize, hub_is_calm: bool, random: &mut Random) -> Fault {
    let agent = random.place(agents);
    let spares_hub = hub_is_calm && random.chance(8_000);
    match random.between(0, 99) {
        87..=95 if spares_hub => Fault::Cut { agent, for_millis: span(random, 60_000) },
        0..=29 => Fault::Cut { agent, for_millis: span(random, 20 * 60_000) },
        30 => Fault::Cut { agent, for_millis: 3_600_000 },
        31..=36 => {
            let count = random.place(agents / 2 + 1).max(1);
            Fault::CutMany { first: agent, count, for_millis: span(random, 6 * 60_000) }
        }
        37..=54 => Fault::KillAgent { agent, for_millis: span(random, 3 * 60_000) },
        55..=59 => Fault::Reboot { agent, for_millis: random.between(20_000, 300_000) },
        60..=74 => {
            let by_secs = if random.chance(5_000) { random.between(-90_000, 90_000) } else { random.between(-600, 600) };
            Fault::SetClock { agent, by_secs, for_millis: random.between(1_000, 1_800_000) }
        }
        75..=86 => Fault::KillTenant { agent },
        87..=91 => Fault::KillHub { for_millis: span(random, 9 * 60_000) },
        92..=95 => Fault::StopHub { for_millis: span(random, 6 * 60_000) },
        _ => Fault::CutChain { for_millis: span(random, 4 * 60_000) },
    }
}
