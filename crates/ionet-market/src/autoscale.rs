//! How a cluster follows its load: when nodes are added, kept and let go. Pure: what is seen comes in, what to do comes out.
//!
//! Nodes that are added are hired by the step (an hour, as its first hour is never refunded). One that is busy is extended shortly before its
//! hire ends; one that is idle is let go once its first hour is over, because until then it costs nothing more.

use ionet_types::ClusterId;

/// Seconds of a hire that are paid whether they are used or not (docs/economy.md, section 1).
const FIRST_HOUR_SECS: i64 = 3_600;
/// So long before its hire ends a busy part is extended, seconds.
const EXTEND_LEAD_SECS: i64 = 180;

/// How much of a node a piece of work takes, or what a node has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bundle {
    /// Thousandths of a GPU.
    pub gpu_milli: u32,
    /// Thousandths of a logical CPU.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
}

impl Bundle {
    fn fits(&self, other: &Self) -> bool {
        other.gpu_milli <= self.gpu_milli && other.cpu_milli <= self.cpu_milli && other.memory_mb <= self.memory_mb
    }

    fn less(&self, other: &Self) -> Self {
        Self {
            gpu_milli: self.gpu_milli - other.gpu_milli,
            cpu_milli: self.cpu_milli - other.cpu_milli,
            memory_mb: self.memory_mb - other.memory_mb,
        }
    }
}

/// What the customer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Fewest nodes, the cluster's own included.
    pub min_nodes: u32,
    /// Most nodes, the cluster's own included.
    pub max_nodes: u32,
    /// Most that may be spent on added nodes, base units of the cluster's currency.
    pub budget: u64,
    /// For how long nodes are hired, and extended, at a time, minutes.
    pub step_minutes: u32,
    /// After nodes were added, none is added for so long, seconds: they need a while to take work on.
    pub cooldown_secs: i64,
    /// After so long without work a node is idle, seconds.
    pub idle_secs: i64,
    /// What one added node has.
    pub node: Bundle,
}

/// Nodes that were added together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Their booking.
    pub id: ClusterId,
    /// How many.
    pub nodes: u32,
    /// When they began to work, unix seconds; `None` while they start.
    pub started_at_unix_secs: Option<i64>,
    /// Until when they are hired, unix seconds; `None` while they start.
    pub hired_until_unix_secs: Option<i64>,
    /// Since when none of them has work, unix seconds; `None` while one has.
    pub idle_since_unix_secs: Option<i64>,
}

/// What is seen at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The cluster's own nodes.
    pub own_nodes: u32,
    /// Until when the cluster itself is hired, unix seconds.
    pub own_until_unix_secs: i64,
    /// Work that waits for room.
    pub pending: &'a [Bundle],
    /// Nodes that were added and are not let go.
    pub parts: &'a [Part],
    /// When nodes were last added, unix seconds.
    pub grown_at_unix_secs: Option<i64>,
    /// What was spent on added nodes so far, base units.
    pub spent: u64,
    /// What one node costs for one step, fees included, base units.
    pub step_cost: u64,
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Add nodes for so many minutes.
    Grow {
        /// How many.
        nodes: u32,
        /// For how long.
        minutes: u32,
    },
    /// Keep these for so many minutes more.
    Extend {
        /// Which.
        part: ClusterId,
        /// How much longer.
        minutes: u32,
    },
    /// Let these go.
    Release {
        /// Which.
        part: ClusterId,
    },
}

/// Why no more nodes are added than are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No more are needed.
    Enough,
    /// The policy's most.
    MaxNodes,
    /// The budget does not pay for more.
    Budget,
    /// Nodes were added a moment ago.
    Cooldown,
    /// The cluster itself is not hired for a minute longer.
    HireEnds,
}

impl Limit {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::MaxNodes => "max_nodes",
            Self::Budget => "budget",
            Self::Cooldown => "cooldown",
            Self::HireEnds => "hire_ends",
        }
    }
}

/// What is to be done, and why not more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// In this order.
    pub actions: Vec<Action>,
    /// What kept it from adding more nodes.
    pub limit: Limit,
    /// Nodes that the waiting work asks for beside those on their way.
    pub needed_nodes: u32,
    /// Pieces of work that no node of this kind could ever take.
    pub unplaceable: u32,
}

/// Decides at `now_unix_secs`.
pub fn decide(policy: &Policy, seen: &Situation<'_>, now_unix_secs: i64) -> Verdict {
    let added: u32 = seen.parts.iter().map(|part| part.nodes).fold(0, u32::saturating_add);
    let total = seen.own_nodes.saturating_add(added);
    let starting = seen.parts.iter().filter(|part| part.started_at_unix_secs.is_none()).map(|part| part.nodes).fold(0, u32::saturating_add);
    let (for_load, unplaceable) = nodes_for(seen.pending, policy.node, starting, policy.max_nodes);
    let needed_nodes = for_load.max(policy.min_nodes.saturating_sub(total));
    let minutes_left = u32::try_from((seen.own_until_unix_secs.saturating_sub(now_unix_secs) / 60).max(0)).unwrap_or(u32::MAX);
    let minutes = policy.step_minutes.min(minutes_left);
    let mut left = policy.budget.saturating_sub(seen.spent);
    let mut actions = Vec::new();

    // Those that work come before those that might: what is extended is paid first.
    for part in seen.parts {
        let Some(until) = part.hired_until_unix_secs else { continue };
        let ends_soon = until.saturating_sub(now_unix_secs) <= EXTEND_LEAD_SECS && until > now_unix_secs;
        let wanted = part.idle_since_unix_secs.is_none() || total.saturating_sub(part.nodes) < policy.min_nodes || needed_nodes > 0;
        let room_minutes = u32::try_from((seen.own_until_unix_secs.saturating_sub(until) / 60).max(0)).unwrap_or(u32::MAX);
        let minutes = policy.step_minutes.min(room_minutes);
        let cost = seen.step_cost.saturating_mul(u64::from(part.nodes));
        if ends_soon && wanted && minutes > 0 && cost <= left {
            left -= cost;
            actions.push(Action::Extend { part: part.id, minutes });
        }
    }

    let affordable = left.checked_div(seen.step_cost).map_or(u32::MAX, |nodes| u32::try_from(nodes).unwrap_or(u32::MAX));
    let room = policy.max_nodes.saturating_sub(total);
    let cooling = seen.grown_at_unix_secs.is_some_and(|at| now_unix_secs.saturating_sub(at) < policy.cooldown_secs);
    let (nodes, limit) = match needed_nodes {
        0 => (0, Limit::Enough),
        _ if minutes == 0 => (0, Limit::HireEnds),
        _ if cooling => (0, Limit::Cooldown),
        wanted if wanted <= room.min(affordable) => (wanted, Limit::Enough),
        _ if room <= affordable => (room, Limit::MaxNodes),
        _ => (affordable, Limit::Budget),
    };
    if nodes > 0 {
        actions.push(Action::Grow { nodes, minutes });
    }

    if needed_nodes == 0 {
        let mut remaining = total;
        for part in seen.parts {
            let idle = part.idle_since_unix_secs.is_some_and(|since| now_unix_secs.saturating_sub(since) >= policy.idle_secs);
            let paid_for = part.started_at_unix_secs.is_none_or(|started| now_unix_secs.saturating_sub(started) < FIRST_HOUR_SECS);
            let over = part.hired_until_unix_secs.is_some_and(|until| until <= now_unix_secs);
            let after = remaining.saturating_sub(part.nodes);
            if idle && !paid_for && !over && after >= policy.min_nodes {
                remaining = after;
                actions.push(Action::Release { part: part.id });
            }
        }
    }
    Verdict { actions, limit, needed_nodes, unplaceable }
}

/// How many empty nodes the work needs beyond those that start, largest pieces first into the first node with room, and how many pieces fit
/// into none. At most `most` nodes are filled: more are never added at once.
fn nodes_for(pending: &[Bundle], node: Bundle, starting: u32, most: u32) -> (u32, u32) {
    let mut work: Vec<_> = pending.iter().filter(|piece| node.fits(piece)).collect();
    let unplaceable = u32::try_from(pending.len() - work.len()).unwrap_or(u32::MAX);
    work.sort_unstable_by(|a, b| b.cmp(a));
    let most = usize::try_from(starting.saturating_add(most)).unwrap_or(usize::MAX);
    let mut nodes: Vec<Bundle> = Vec::new();
    for piece in work {
        if let Some(room) = nodes.iter_mut().find(|room| room.fits(piece)) {
            *room = room.less(piece);
        } else if nodes.len() < most {
            nodes.push(node.less(piece));
        } else {
            break;
        }
    }
    (u32::try_from(nodes.len()).unwrap_or(u32::MAX).saturating_sub(starting), unplaceable)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE: Bundle = Bundle { gpu_milli: 1_000, cpu_milli: 4_000, memory_mb: 8_000 };
    const POLICY: Policy =
        Policy { min_nodes: 1, max_nodes: 8, budget: 1_000, step_minutes: 60, cooldown_secs: 60, idle_secs: 120, node: NODE };

    fn part(number: u8, nodes: u32) -> Part {
        Part {
            id: ClusterId::from_bytes([number; 16]),
            nodes,
            started_at_unix_secs: Some(0),
            hired_until_unix_secs: Some(7_200),
            idle_since_unix_secs: None,
        }
    }

    fn seen<'a>(pending: &'a [Bundle], parts: &'a [Part]) -> Situation<'a> {
        Situation { own_nodes: 1, own_until_unix_secs: 100_000, pending, parts, grown_at_unix_secs: None, spent: 0, step_cost: 10 }
    }

    #[test]
    fn work_that_waits_gets_the_nodes_it_needs() {
        let piece = Bundle { gpu_milli: 500, cpu_milli: 1_000, memory_mb: 0 };
        let verdict = decide(&POLICY, &seen(&[piece; 5], &[]), 10);
        assert_eq!((verdict.actions, verdict.limit), (vec![Action::Grow { nodes: 3, minutes: 60 }], Limit::Enough));
        // Two are on their way already.
        let starting = [Part { started_at_unix_secs: None, hired_until_unix_secs: None, ..part(1, 2) }];
        assert_eq!(decide(&POLICY, &seen(&[piece; 5], &starting), 10).actions, [Action::Grow { nodes: 1, minutes: 60 }]);
        // What fits nowhere asks for nothing.
        let huge = Bundle { gpu_milli: 2_000, ..piece };
        let verdict = decide(&POLICY, &seen(&[huge; 3], &[]), 10);
        assert_eq!((verdict.actions.len(), verdict.unplaceable, verdict.limit), (0, 3, Limit::Enough));
    }

    #[test]
    fn each_limit_is_named() {
        let piece = [NODE; 20];
        assert_eq!(decide(&POLICY, &seen(&piece, &[]), 10).limit, Limit::MaxNodes);
        assert_eq!(decide(&Policy { budget: 35, ..POLICY }, &seen(&piece, &[]), 10).actions, [Action::Grow { nodes: 3, minutes: 60 }]);
        assert_eq!(decide(&Policy { budget: 35, ..POLICY }, &seen(&piece, &[]), 10).limit, Limit::Budget);
        let cooling = Situation { grown_at_unix_secs: Some(0), ..seen(&piece, &[]) };
        assert_eq!(decide(&POLICY, &cooling, 59).limit, Limit::Cooldown);
        assert_eq!(decide(&POLICY, &cooling, 60).limit, Limit::MaxNodes);
        assert_eq!(decide(&POLICY, &Situation { own_until_unix_secs: 50, ..seen(&piece, &[]) }, 10).limit, Limit::HireEnds);
    }

    #[test]
    fn the_busy_are_extended_and_the_idle_let_go_after_their_first_hour() {
        let busy = part(1, 1);
        assert_eq!(decide(&POLICY, &seen(&[], &[busy]), 7_100).actions, [Action::Extend { part: busy.id, minutes: 60 }]);
        assert_eq!(decide(&POLICY, &seen(&[], &[busy]), 6_000).actions, []);
        let idle = Part { idle_since_unix_secs: Some(1_000), ..busy };
        assert_eq!(decide(&POLICY, &seen(&[], &[idle]), 3_599).actions, [], "its first hour is paid for");
        assert_eq!(decide(&POLICY, &seen(&[], &[idle]), 3_600).actions, [Action::Release { part: idle.id }]);
        assert_eq!(decide(&Policy { min_nodes: 2, ..POLICY }, &seen(&[], &[idle]), 3_600).actions, []);
        assert_eq!(decide(&POLICY, &seen(&[NODE], &[idle]), 3_600).actions, [Action::Grow { nodes: 1, minutes: 60 }]);
    }

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        let moment = || prop::option::of(0_i64..20_000);
        let one = (1_u32..4, moment(), moment(), moment());
        prop::collection::vec(one, 0..6).prop_map(|list| {
            let part = |((nodes, started, until, idle), number)| Part {
                started_at_unix_secs: started,
                hired_until_unix_secs: started.and(until),
                idle_since_unix_secs: started.and(idle),
                ..part(number, nodes)
            };
            list.into_iter().zip(0..).map(part).collect()
        })
    }

    proptest! {
        #[test]
        fn the_policy_is_kept(
            pending in prop::collection::vec((0_u32..1_500, 0_u32..6_000).prop_map(|(gpu_milli, cpu_milli)| Bundle { gpu_milli, cpu_milli, memory_mb: 0 }), 0..40),
            parts in parts(),
            (min_nodes, max_nodes) in (0_u32..4, 1_u32..12),
            (budget, spent, step_cost) in (0_u64..500, 0_u64..500, 0_u64..60),
            grown in prop::option::of(0_i64..20_000),
            own_until_unix_secs in 0_i64..40_000,
            now in 0_i64..20_000,
        ) {
            let policy = Policy { min_nodes, max_nodes, budget, ..POLICY };
            let seen = Situation { own_until_unix_secs, grown_at_unix_secs: grown, spent, step_cost, ..seen(&pending, &parts) };
            let verdict = decide(&policy, &seen, now);
            prop_assert_eq!(&verdict, &decide(&policy, &seen, now));
            let nodes_of = |id: ClusterId| parts.iter().find(|part| part.id == id).map_or(0, |part| part.nodes);
            let (mut total, mut cost) = (1 + parts.iter().map(|part| part.nodes).sum::<u32>(), 0);
            let before = total;
            let (mut grows, mut releases) = (0, 0);
            for action in &verdict.actions {
                match *action {
                    Action::Grow { nodes, minutes } => {
                        grows += 1;
                        total += nodes;
                        cost += u64::from(nodes) * step_cost;
                        prop_assert!(nodes > 0 && (1..=60).contains(&minutes));
                        prop_assert!(now + i64::from(minutes) * 60 <= own_until_unix_secs, "never longer than the cluster itself");
                        prop_assert!(total <= max_nodes);
                        prop_assert!(grown.is_none_or(|at| now - at >= policy.cooldown_secs));
                    }
                    Action::Extend { part, minutes } => {
                        cost += u64::from(nodes_of(part)) * step_cost;
                        let until = parts.iter().find(|other| other.id == part).unwrap().hired_until_unix_secs.unwrap();
                        prop_assert!(minutes > 0 && until + i64::from(minutes) * 60 <= own_until_unix_secs);
                    }
                    Action::Release { part } => {
                        releases += 1;
                        total -= nodes_of(part);
                        let part = parts.iter().find(|other| other.id == part).unwrap();
                        prop_assert!(part.idle_since_unix_secs.is_some_and(|since| now - since >= policy.idle_secs), "only the idle are let go");
                        prop_assert!(total >= min_nodes);
                    }
                }
            }
            prop_assert!(cost == 0 || spent + cost <= budget);
            prop_assert!(grows == 0 || releases == 0);
            prop_assert!(grows <= 1 && (releases == 0 || total < before));
        }
    }
}
