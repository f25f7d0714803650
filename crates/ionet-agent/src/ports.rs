//! Chooses TCP ports that are free, and stay so until the program that gets them binds them.

use std::{
    collections::HashSet,
    net::{IpAddr, TcpListener},
    ops::Range,
    sync::Mutex,
    time::{Duration, Instant},
};

use rand::seq::SliceRandom;

/// Ports below those that the kernel gives to outgoing connections, so that none of these takes a chosen port.
const RANGE: Range<u16> = 20_000..32_000;
/// How long a chosen port is not chosen again within this process.
const HOLD: Duration = Duration::from_mins(1);

static CHOSEN: Mutex<Vec<(u16, Instant)>> = Mutex::new(Vec::new());

/// `count` different ports on which `ip` can be listened to, or `None` if there are not so many.
pub(crate) fn choose(ip: IpAddr, count: usize) -> Option<Vec<u16>> {
    let mut chosen = CHOSEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    chosen.retain(|(_, at)| at.elapsed() < HOLD);
    let held: HashSet<u16> = chosen.iter().map(|(port, _)| *port).collect();
    let mut candidates: Vec<u16> = RANGE.filter(|port| !held.contains(port)).collect();
    candidates.shuffle(&mut rand::rng());
    // Both: some programs listen on all addresses.
    let is_free = |port: u16| TcpListener::bind((ip, port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok();
    let ports: Vec<u16> = candidates.into_iter().filter(|port| is_free(*port)).take(count).collect();
    chosen.extend(ports.iter().map(|port| (*port, Instant::now())));
    (ports.len() == count).then_some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_never_given_twice() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let (first, second) = (choose(ip, 20).unwrap(), choose(ip, 20).unwrap());
        let all: HashSet<u16> = first.iter().chain(&second).copied().collect();
        assert_eq!(all.len(), 40);
        assert!(all.iter().all(|port| RANGE.contains(port)));
    }
}
