//! All devices of one model: in bins by what could be had of their GPUs, and in racks by where they are.

use std::collections::BTreeMap;

use super::Record;
use super::card::Card;
use super::class::Class;
use super::summary::{Summary, Wanted};
use super::tree::Tree;
use crate::names::SiteId;
use crate::shape::{GpuDemand, MAX_GPUS, Room};

/// Instances on one device at most: seven on each of eight GPUs.
const MAX_INSTANCES: u64 = 7 * 8;

/// A model's devices.
#[derive(Debug, Default)]
pub(crate) struct Bay {
    /// The model's reference price, micro-USD; 0 until it is told.
    pub(super) reference: u32,
    /// Places of all devices of this model, whether or not they lie in bins.
    pub(crate) places: Vec<u32>,
    /// Devices that can be hired, by class; there are about a hundred classes.
    pub(super) bins: Vec<(Class, Tree)>,
    by_class: BTreeMap<Class, u32>,
    pub(super) racks: Vec<Rack>,
    by_site: BTreeMap<SiteId, u32>,
    /// Devices in bins and what is free of their GPUs, in thousandths, by the outline of their size.
    pub(super) sizes: BTreeMap<Room, (u64, u64)>,
}

/// Hireable devices of one model at one site.
#[derive(Debug)]
pub(super) struct Rack {
    pub(super) site: SiteId,
    pub(super) cards: Vec<Card>,
    /// At least as good as the devices in it: it becomes exact again when as many have left as are in it.
    pub(super) summary: Summary,
    /// Free GPUs of all of them, thousandths.
    gpu_milli: u64,
    /// How many of them have so many whole GPUs free.
    by_whole_gpus: [u32; MAX_GPUS + 1],
    left: usize,
}

impl Rack {
    /// Not fewer than the nodes that the rack can hold.
    pub(super) fn at_most(&self, gpus: GpuDemand) -> usize {
        let nodes = match gpus {
            GpuDemand::None => u64::MAX,
            GpuDemand::Instance(_) => (self.cards.len() as u64).saturating_mul(MAX_INSTANCES),
            GpuDemand::Part(milli) => self.gpu_milli / u64::from(milli.max(1)),
            GpuDemand::Whole(count) => {
                let on_one = |free: u64| free / u64::from(count.max(1));
                (0..).zip(self.by_whole_gpus).map(|(free, devices)| on_one(free) * u64::from(devices)).sum()
            }
        };
        usize::try_from(nodes).unwrap_or(usize::MAX)
    }
}

impl Bay {
    /// A device is of this model.
    pub(super) fn enlist(&mut self, records: &mut [Record], place: u32) {
        records[place as usize].in_bay = u32::try_from(self.places.len()).expect("no more devices than places, which are of 32 bits");
        self.places.push(place);
    }

    /// A device is gone, or of another model.
    pub(super) fn strike(&mut self, records: &mut [Record], place: u32) {
        let at = records[place as usize].in_bay;
        self.places.swap_remove(at as usize);
        if let Some(moved) = self.places.get(at as usize) {
            records[*moved as usize].in_bay = at;
        }
    }

    /// Puts a device into its bin and into its rack.
    pub(super) fn enter(&mut self, records: &mut [Record], place: u32, outline_bits: u32) {
        let reference = self.reference;
        let record = &mut records[place as usize];
        let (bin, free_gpu_milli) = (self.bin(Class::of(&record.machine, &record.free)), u64::from(record.free.gpu_milli_sum()));
        record.bin = Some(bin);
        let size = self.sizes.entry(record.machine.whole.outline(outline_bits)).or_default();
        *size = (size.0 + 1, size.1 + free_gpu_milli);
        let (card, whole_gpus) = (Card::of(record, place), record.free.whole_gpus());
        if let Some(site) = record.machine.site {
            let rack = self.rack(site);
            record.in_rack = u32::try_from(rack.cards.len()).ok();
            rack.cards.push(card);
            rack.gpu_milli += free_gpu_milli;
            rack.by_whole_gpus[usize::from(whole_gpus)] += 1;
            rack.summary.merge(&Summary::of(&card, reference));
        }
        self.bins[bin as usize].1.insert(card, reference);
    }

    /// Takes a device out of its bin and its rack, if it is there. Its record is still as it was when it came.
    pub(super) fn leave(&mut self, records: &mut [Record], place: u32, outline_bits: u32) {
        let reference = self.reference;
        let record = &mut records[place as usize];
        let Some(bin) = record.bin.take() else { return };
        let (order, in_rack) = (Card::of(record, place).order(), record.in_rack.take());
        let (whole_gpus, free_gpu_milli) = (record.free.whole_gpus(), u64::from(record.free.gpu_milli_sum()));
        let (site, whole) = (record.machine.site, record.machine.whole.outline(outline_bits));
        if let Some(size) = self.sizes.get_mut(&whole) {
            *size = (size.0 - 1, size.1 - free_gpu_milli);
            if size.0 == 0 {
                self.sizes.remove(&whole);
            }
        }
        self.bins[bin as usize].1.remove(order, reference);
        if let Some((site, at)) = site.zip(in_rack) {
            let rack = self.rack(site);
            rack.cards.swap_remove(at as usize);
            rack.gpu_milli -= free_gpu_milli;
            rack.by_whole_gpus[usize::from(whole_gpus)] -= 1;
            if let Some(moved) = rack.cards.get(at as usize) {
                records[moved.place as usize].in_rack = Some(at);
            }
            rack.left += 1;
            if rack.left > rack.cards.len() {
                rack.left = 0;
                rack.summary = Summary::of_all(&rack.cards, reference);
            }
        }
    }

    fn bin(&mut self, class: Class) -> u32 {
        let bins = &mut self.bins;
        *self.by_class.entry(class).or_insert_with(|| {
            bins.push((class, Tree::new()));
            u32::try_from(bins.len() - 1).expect("classes are made of a few small numbers")
        })
    }

    fn rack(&mut self, site: SiteId) -> &mut Rack {
        let racks = &mut self.racks;
        let at = *self.by_site.entry(site).or_insert_with(|| {
            racks.push(Rack {
                site,
                cards: Vec::new(),
                summary: Summary::empty(),
                gpu_milli: 0,
                by_whole_gpus: Default::default(),
                left: 0,
            });
            u32::try_from(racks.len() - 1).expect("sites have numbers of 32 bits")
        });
        &mut self.racks[at as usize]
    }

    /// The rack of a site.
    pub(super) fn rack_at(&self, site: SiteId) -> Option<&Rack> {
        self.by_site.get(&site).map(|at| &self.racks[*at as usize])
    }

    /// The bins in which a demand for such GPUs may be served, by their numbers.
    pub(super) fn able(&self, gpus: GpuDemand) -> impl Iterator<Item = (u32, &Tree)> {
        let all = (0_u32..).zip(&self.bins);
        all.filter(move |(_, (class, tree))| tree.len() > 0 && class.may_serve(gpus)).map(|(at, (_, tree))| (at, tree))
    }

    /// The devices in bins that may fulfil a request, whatever models it names; whether they do is to be seen.
    pub(crate) fn candidates(&self, gpus: GpuDemand, wanted: &Wanted<'_>, seen: &mut impl FnMut(u32)) {
        for (_, tree) in self.able(gpus) {
            let mut may_fit = |card: &Card| {
                if wanted.may_be(card) {
                    seen(card.place);
                }
            };
            tree.visit(&|summary| wanted.may_be_among(summary), &mut may_fit);
        }
    }

    /// How many devices are in bins.
    pub(crate) fn open(&self) -> u64 {
        self.sizes.values().map(|(devices, _)| devices).sum()
    }
}
