//! All devices of one model: in bins by what could be had of their GPUs, and in racks by where they are.

use std::collections::BTreeMap;

use super::Record;
use super::class::Class;
use super::summary::{Summary, Wanted};
use super::tree::Tree;
use crate::names::SiteId;
use crate::shape::{GpuDemand, Room};

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
    pub(super) places: Vec<u32>,
    /// At least as good as the devices in it: it becomes exact again when as many have left as are in it.
    pub(super) summary: Summary,
    /// Free GPUs of all of them, thousandths.
    pub(super) gpu_milli: u64,
    left: usize,
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
        let ring = record.ring;
        if let Some(site) = record.machine.site {
            let rack = self.rack(site);
            record.in_rack = u32::try_from(rack.places.len()).ok();
            rack.places.push(place);
            rack.gpu_milli += free_gpu_milli;
            rack.summary.merge(&Summary::of(&records[place as usize], reference));
        }
        self.bins[bin as usize].1.insert((ring, place), &|place| Summary::of(&records[place as usize], reference));
    }

    /// Takes a device out of its bin and its rack, if it is there. Its record is still as it was when it came.
    pub(super) fn leave(&mut self, records: &mut [Record], place: u32, outline_bits: u32) {
        let reference = self.reference;
        let record = &mut records[place as usize];
        let Some(bin) = record.bin.take() else { return };
        let (ring, in_rack, free_gpu_milli) = (record.ring, record.in_rack.take(), u64::from(record.free.gpu_milli_sum()));
        let (site, whole) = (record.machine.site, record.machine.whole.outline(outline_bits));
        if let Some(size) = self.sizes.get_mut(&whole) {
            *size = (size.0 - 1, size.1 - free_gpu_milli);
            if size.0 == 0 {
                self.sizes.remove(&whole);
            }
        }
        self.bins[bin as usize].1.remove((ring, place), &|place| Summary::of(&records[place as usize], reference));
        if let Some((site, at)) = site.zip(in_rack) {
            let rack = self.rack(site);
            rack.places.swap_remove(at as usize);
            rack.gpu_milli -= free_gpu_milli;
            if let Some(moved) = rack.places.get(at as usize) {
                records[*moved as usize].in_rack = Some(at);
            }
            rack.left += 1;
            if rack.left > rack.places.len() {
                rack.left = 0;
                rack.summary = Summary::empty();
                for place in &rack.places {
                    rack.summary.merge(&Summary::of(&records[*place as usize], reference));
                }
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
            racks.push(Rack { site, places: Vec::new(), summary: Summary::empty(), gpu_milli: 0, left: 0 });
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

    /// The devices in bins that may fulfil a request for other models; whether they do is to be seen.
    pub(crate) fn candidates(&self, gpus: GpuDemand, wanted: &Wanted<'_>, seen: &mut impl FnMut(u32)) {
        for (_, tree) in self.able(gpus) {
            tree.visit(&|summary| wanted.may_be_among(summary), seen);
        }
    }

    /// How many devices are in bins.
    pub(crate) fn open(&self) -> u64 {
        self.sizes.values().map(|(devices, _)| devices).sum()
    }
}
