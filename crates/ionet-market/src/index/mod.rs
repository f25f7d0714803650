//! The devices of the network, kept so that the right ones for a request are found without looking at all of them.
//!
//! Every model has its own bay. In it the devices that may be hired lie in bins, by what could be had of their GPUs. In a bin they hang in
//! a tree, cheap ones first, each branch with the best of everything that hangs on it. A search takes the branch
//! that promises most, again and again; the first device that it reaches is the best one, the next is the second best, and so on. What
//! a placement wastes is then judged for the first of them. Devices at sites also lie in racks, one for each model and site, for clusters
//! at one site.
//!
//! The index is told what happens, device by device: [`Index::put`], [`Index::remove`], [`Index::take`], [`Index::give`],
//! [`Index::set_state`], [`Index::rate`], [`Index::reprice`], [`Index::advance`]. What it then answers is what a scan over all devices
//! would ([`scan`](crate::scan)).
//!
//! A decision is only a proposal. Others may have taken a device since the index last heard of it, so whoever keeps the truth decides by
//! a conditional update, and tells the index the outcome:
//!
//! ```ignore
//! loop {
//!     let placement = index.place(&request, seed).ok_or_else(|| index.preflight(&request, seed))?;
//!     match store.reserve(cluster, &placement) {
//!         Ok(()) => break index.commit(&placement)?,
//!         Err(conflict) => index.take(conflict.device, &conflict.demand, conflict.slot)?,
//!     }
//! }
//! ```

pub(crate) mod bay;
mod card;
mod class;
mod events;
mod judgement;
pub(crate) mod pack;
pub(crate) mod place;
mod resize;
mod stream;
pub(crate) mod summary;
mod tree;

use std::collections::BTreeSet;
use std::hash::RandomState;

use hashbrown::HashTable;
use ionet_types::DeviceId;

use crate::fragmentation::Supply;
use crate::machine::{Machine, State};
use crate::names::ModelId;
use crate::score::Ring;
use crate::shape::Room;
use bay::Bay;

/// How exactly waste is judged.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// [`Room::outline`]'s bits, by which kinds of room are told apart. [`EXACT_BITS`](crate::shape::EXACT_BITS) tell all rooms apart.
    pub outline_bits: u32,
    /// Devices of each model whose rooms are judged for a request: those that are best by all the rest.
    pub judged: usize,
}

impl Default for Options {
    /// CPU to a quarter, memory to a half, and 32 devices of each model: in a production cluster that costs less than one GPU in a
    /// thousand (`examples/bench_trace`).
    fn default() -> Self {
        Self { outline_bits: 3, judged: 32 }
    }
}

/// All devices of the network that the market knows.
#[derive(Debug)]
pub struct Index<W> {
    pub(crate) options: Options,
    pub(crate) waste: W,
    pub(crate) records: Vec<Record>,
    /// Places of devices that are gone.
    vacant: Vec<u32>,
    /// Places by device. Its hasher is seeded by chance, since strangers choose device keys; it decides where things are found, never what.
    by_device: HashTable<u32>,
    hasher: RandomState,
    pub(crate) bays: Vec<Bay>,
    /// Devices that failed lately, by when that is forgotten, unix seconds.
    failed: BTreeSet<(i64, u32)>,
    pub(crate) now_unix_secs: i64,
    len: usize,
}

/// What is kept of a device.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) machine: Machine,
    pub(crate) free: Room,
    pub(crate) state: State,
    /// It failed within the last hour.
    pub(crate) failed: bool,
    /// The device is gone, and the place vacant.
    pub(crate) gone: bool,
    pub(crate) ring: Ring,
    /// Its bin, if it is in one.
    bin: Option<u32>,
    /// Where in its rack it lies, if it does.
    in_rack: Option<u32>,
    /// Where in its bay's list it stands.
    in_bay: u32,
}

impl<W> Index<W> {
    /// An empty index at a time, which judges waste by `waste`.
    pub fn new(options: Options, waste: W, now_unix_secs: i64) -> Self {
        Self {
            options,
            waste,
            records: Vec::new(),
            vacant: Vec::new(),
            by_device: HashTable::new(),
            hasher: RandomState::new(),
            bays: Vec::new(),
            failed: BTreeSet::new(),
            now_unix_secs,
            len: 0,
        }
    }

    /// How many devices there are, hireable or not.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What could be hired now, for each model and size of device.
    pub(crate) fn supply(&self) -> Vec<Supply> {
        let sizes =
            (0_u8..=u8::MAX).zip(&self.bays).flat_map(|(model, bay)| bay.sizes.iter().map(move |(whole, size)| (model, whole, size)));
        sizes
            .map(|(model, whole, (devices, free_milli))| Supply { model, whole: *whole, devices: *devices, free_milli: *free_milli })
            .collect()
    }

    /// What judges waste.
    pub const fn waste_mut(&mut self) -> &mut W {
        &mut self.waste
    }

    /// A device, what of it is free, and its state.
    pub fn get(&self, device: DeviceId) -> Option<(&Machine, Room, State)> {
        let record = &self.records[self.find(device)? as usize];
        Some((&record.machine, record.free, record.state))
    }

    /// All devices in no particular order, each with what of it is free.
    pub fn iter(&self) -> impl Iterator<Item = (&Machine, Room, State)> {
        self.records.iter().filter(|record| !record.gone).map(|record| (&record.machine, record.free, record.state))
    }

    /// A model's reference price, if the index was told.
    pub fn reference_micro_usd(&self, model: ModelId) -> Option<u32> {
        self.bays.get(usize::from(model.0)).map(|bay| bay.reference).filter(|reference| *reference > 0)
    }
}

impl Record {
    pub(crate) const fn bin(&self) -> Option<u32> {
        self.bin
    }
}
