//! What goes wrong: cuts, crashes, reboots, clocks that are set, processes that die, a hub that stands still.

use crate::Millis;
use crate::random::Random;

/// Mean time between two faults, milliseconds, for a network of a hundred agents.
const EVERY: Millis = 6_000;
/// A clock that is set wrong may be wrong by years, seconds.
const YEARS_SECS: i64 = 300_000_000;
/// One of so many machines is spared: it loses neither power nor network nor its agent. Its clock is set as all others are, and the hub fails it
/// as it fails all others.
const SPARED: usize = 8;

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

impl Fault {
    /// Whether this would happen to a machine that is spared.
    fn spares(self) -> bool {
        match self {
            Self::Cut { agent, .. } | Self::KillAgent { agent, .. } | Self::Reboot { agent, .. } => is_spared(agent),
            _ => false,
        }
    }
}

/// Whether nothing happens to a machine but what its clock shows and what the hub does.
pub(crate) const fn is_spared(agent: usize) -> bool {
    agent.is_multiple_of(SPARED)
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

/// Draws one; `None` when it would have happened to a machine that is spared. On even days the hub fails a fifth as often, so that more of
/// what happens is in its sight; on each third day clocks are set, and agents and hub begin anew, twice as often.
pub(crate) fn draw(agents: usize, day: u64, random: &mut Random) -> Option<Fault> {
    let agent = random.place(agents);
    let spares_hub = day.is_multiple_of(2) && random.chance(8_000);
    let kind = if day.is_multiple_of(3) && random.chance(4_000) {
        [40, 57, 60, 61, 62, 63, 88, 93][random.place(8)]
    } else {
        random.between(0, 99)
    };
    let fault = match kind {
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
            let most = [600, 90_000, YEARS_SECS][random.place(3)];
            let by_secs = random.between(-most, most);
            Fault::SetClock { agent, by_secs, for_millis: random.between(1_000, 1_800_000) }
        }
        75..=86 => Fault::KillTenant { agent },
        87..=91 => Fault::KillHub { for_millis: span(random, 9 * 60_000) },
        92..=95 => Fault::StopHub { for_millis: span(random, 6 * 60_000) },
        _ => Fault::CutChain { for_millis: span(random, 4 * 60_000) },
    };
    Some(fault).filter(|fault| !fault.spares())
}
