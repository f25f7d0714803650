//! All devices of one model: in bins by what of them is free, and in racks by where they are.

use std::collections::BTreeMap;

use super::place::Search;
use super::stream::{By, Stream};
use super::summary::{Label, Summary, Wanted};
use super::tree::Tree;
use super::{Options, Record};
use crate::conditions::has_gpus;
use crate::gang::{Fit, Terms};
use crate::names::{ModelId, SiteId};
use crate::request::Request;
use crate::score::{UNJUDGED, setting, setting_micro_usd};
use crate::shape::{Demand, GpuDemand, Room};
use crate::waste::Waste;

/// Settings that are remembered for each model, two MiB of them; then all are forgotten.
const MAX_SETTINGS: usize = 1 << 19;
/// Empty bins that are kept in any case.
const MIN_EMPTY: usize = 256;
/// A setting that was not asked for yet.
const UNKNOWN: i32 = i32::MIN;
/// The setting of a bin that the demand does not fit.
pub(super) const NOWHERE: i32 = i32::MAX;

/// A model's devices.
#[derive(Debug, Default)]
pub(crate) struct Bay {
    /// The model's reference price, micro-USD; 0 until it is told.
    pub(super) reference: u32,
    /// Places of all devices of this model, whether or not they lie in bins.
    pub(crate) places: Vec<u32>,
    pub(super) bins: Vec<Bin>,
    /// What the devices in each bin cost at least, apart from the bins so that all can be read at once.
    pub(super) labels: Vec<Label>,
    /// What the rooms in each bin look like, and whether its devices are shared.
    outlines: Vec<(bool, Room)>,
    by_outline: BTreeMap<(bool, Room), u32>,
    /// Bins that became empty, each once; some are not any more.
    empty: Vec<u32>,
    pub(super) racks: Vec<Rack>,
    by_site: BTreeMap<SiteId, u32>,
    /// Devices in bins and what is free of their GPUs, in thousandths, by the outline of their size.
    pub(super) sizes: BTreeMap<Room, (u64, u64)>,
    memos: BTreeMap<Demand, Memo>,
}

/// Devices of one model whose rooms look alike.
#[derive(Debug)]
pub(super) struct Bin {
    pub(super) tree: Tree,
    /// It is among the empty ones.
    listed: bool,
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

/// What is to be said against each bin for one demand.
#[derive(Debug, Default)]
struct Memo {
    version: Option<u64>,
    settings: Vec<i32>,
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

    /// The devices in bins that may fulfil a request for other models; whether they do is to be seen.
    pub(crate) fn candidates(&self, gpus: GpuDemand, wanted: &Wanted<'_>, seen: &mut impl FnMut(u32)) {
        let able = self.bins.iter().zip(&self.outlines).filter(|(_, (divisible, outline))| has_gpus(*divisible, outline, gpus));
        for (bin, _) in able {
            bin.tree.visit(&|summary| wanted.may_be_among(summary), seen);
        }
    }

    /// How many devices are in bins.
    pub(crate) fn open(&self) -> u64 {
        self.sizes.values().map(|(devices, _)| devices).sum()
    }

    /// Puts a device in its bin and into its rack.
    pub(super) fn enter(&mut self, records: &mut [Record], place: u32, outline_bits: u32) {
        let record = &mut records[place as usize];
        let outline = (record.machine.divisible, record.free.outline(outline_bits));
        let bin = self.bin(outline);
        record.bin = Some(bin);
        let size = self.sizes.entry(record.machine.whole.outline(outline_bits)).or_default();
        *size = (size.0 + 1, size.1 + u64::from(record.free.gpu_milli_sum()));
        let (ring, free_gpu_milli, reference) = (record.ring, u64::from(record.free.gpu_milli_sum()), self.reference);
        if let Some(site) = record.machine.site {
            let rack = self.rack(site);
            record.in_rack = u32::try_from(rack.places.len()).ok();
            rack.places.push(place);
            rack.gpu_milli += free_gpu_milli;
            rack.summary.merge(&Summary::of(&records[place as usize], reference));
        }
        self.bins[bin as usize].tree.insert((ring, place), &|place| Summary::of(&records[place as usize], reference));
        self.labels[bin as usize] = *self.bins[bin as usize].tree.summary().label();
    }

    /// Takes a device out of its bin and out of its rack. Its record is still as it was when it came.
    pub(super) fn leave(&mut self, records: &mut [Record], place: u32, outline_bits: u32) {
        let reference = self.reference;
        let record = &mut records[place as usize];
        let (ring, site, free_gpu_milli) = (record.ring, record.machine.site, u64::from(record.free.gpu_milli_sum()));
        let (bin, in_rack) = (record.bin.take(), record.in_rack.take());
        if let Some(bin) = bin {
            let whole = records[place as usize].machine.whole.outline(outline_bits);
            if let Some(size) = self.sizes.get_mut(&whole) {
                *size = (size.0 - 1, size.1 - free_gpu_milli);
                if size.0 == 0 {
                    self.sizes.remove(&whole);
                }
            }
            let at = bin as usize;
            let tree = &mut self.bins[at].tree;
            tree.remove((ring, place), &|place| Summary::of(&records[place as usize], reference));
            self.labels[at] = *tree.summary().label();
            if tree.len() == 0 && !self.bins[at].listed {
                self.bins[at].listed = true;
                self.empty.push(bin);
            }
        }
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

    fn bin(&mut self, outline: (bool, Room)) -> u32 {
        if let Some(bin) = self.by_outline.get(&outline) {
            return *bin;
        }
        let number = if let Some(vacant) = self.vacant_bin() {
            let at = vacant as usize;
            self.by_outline.remove(&std::mem::replace(&mut self.outlines[at], outline));
            for memo in self.memos.values_mut() {
                if let Some(known) = memo.settings.get_mut(at) {
                    *known = UNKNOWN;
                }
            }
            vacant
        } else {
            self.bins.push(Bin { tree: Tree::new(), listed: false });
            self.labels.push(*Summary::empty().label());
            self.outlines.push(outline);
            u32::try_from(self.bins.len() - 1).expect("no more bins than devices and some, whose places are of 32 bits")
        };
        self.by_outline.insert(outline, number);
        number
    }

    /// An empty bin for other devices. Some are kept as they are, since such rooms come again, and what is remembered of them stays true.
    fn vacant_bin(&mut self) -> Option<u32> {
        if self.empty.len() <= MIN_EMPTY.max(self.bins.len() / 2) {
            return None;
        }
        while let Some(at) = self.empty.pop() {
            let bin = &mut self.bins[at as usize];
            bin.listed = false;
            if bin.tree.len() == 0 {
                return Some(at);
            }
        }
        None
    }

    fn rack(&mut self, site: SiteId) -> &mut Rack {
        let racks = &mut self.racks;
        let at = *self.by_site.entry(site).or_insert_with(|| {
            racks.push(Rack { site, places: Vec::new(), summary: Summary::empty(), gpu_milli: 0, left: 0 });
            u32::try_from(racks.len() - 1).expect("sites have numbers of 32 bits")
        });
        &mut self.racks[at as usize]
    }

    /// Bins on which something lies.
    pub(super) fn kinds_of_room(&self) -> usize {
        self.bins.iter().filter(|bin| bin.tree.len() > 0).count()
    }

    /// The rack of a site.
    pub(super) fn rack_at(&self, site: SiteId) -> Option<&Rack> {
        self.by_site.get(&site).map(|at| &self.racks[*at as usize])
    }

    /// Bins whose devices may serve such a request, as far as GPUs and terms go.
    pub(super) fn able(&self, request: &Request) -> impl Iterator<Item = u32> {
        let (lease, gpus) = (request.lease, request.demand.gpus);
        let all = (0_u32..).zip(self.labels.iter().zip(&self.outlines));
        all.filter(move |(_, (label, (divisible, outline)))| label.is_rented(lease) && has_gpus(*divisible, outline, gpus))
            .map(|(at, _)| at)
    }

    /// The best device of each bin by all but waste, best first: of as many bins as are to be judged, each with what is then to be
    /// said against its bin, and of one more.
    pub(super) fn judge(
        &mut self,
        waste: &mut impl Waste,
        model: ModelId,
        records: &[Record],
        request: &Request,
        options: Options,
        seed: u64,
    ) -> Vec<Judged> {
        let terms = Terms { lease: request.lease, horizon: request.horizon(), reference: self.reference, seed };
        let search = Search { bay: self, records, request, wanted: Wanted::new(request), settings: &[], terms };
        let mut stream = Stream::new(&search, By::Bin);
        let best = std::iter::from_fn(|| stream.next()).take(options.judged.saturating_add(1));
        let mut judged: Vec<Judged> =
            best.filter_map(|fit| Some(Judged { bin: records[fit.place as usize].bin()?, setting: UNJUDGED, fit })).collect();
        let demand = request.demand.outline(options.outline_bits);
        let mut memo = self.memos.remove(&demand).unwrap_or_default();
        if memo.version != Some(waste.version()) {
            memo = Memo { version: Some(waste.version()), settings: Vec::new() };
        }
        memo.settings.resize(self.bins.len(), UNKNOWN);
        for one in judged.iter_mut().take(options.judged) {
            let ((divisible, outline), known) = (&self.outlines[one.bin as usize], &mut memo.settings[one.bin as usize]);
            if *known == UNKNOWN {
                *known = setting(waste, outline, *divisible, model, &demand).unwrap_or(NOWHERE);
            }
            one.setting = *known;
        }
        if self.memos.len().saturating_mul(self.bins.len()) >= MAX_SETTINGS {
            self.memos.clear();
        }
        self.memos.insert(demand, memo);
        judged
    }

    /// What is to be said against each bin for a request, when these were judged.
    pub(super) fn settings(&self, request: &Request, judged: &[Judged]) -> Vec<i32> {
        let mut settings = vec![NOWHERE; self.bins.len()];
        self.able(request).for_each(|at| settings[at as usize] = UNJUDGED);
        for one in judged {
            settings[one.bin as usize] = one.setting;
        }
        settings
    }
}

/// The best device of a bin, and what is to be said against the bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    bin: u32,
    setting: i32,
    fit: Fit,
}

impl Judged {
    /// The device with all that is to be said against it.
    pub(super) fn fit(&self, reference_micro_usd: u32) -> Fit {
        Fit { against: self.fit.against + setting_micro_usd(self.setting, reference_micro_usd), ..self.fit }
    }
}
