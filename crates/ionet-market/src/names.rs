//! Names that many devices share, as numbers: models with their reference prices, sites, suppliers.

use std::collections::BTreeMap;

use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::ShortName;

use crate::machine::{MAX_PRICE_MICRO_USD, Unusable};

/// A model's number in a [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub u8);

/// A site's number in a [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

/// A supplier's number in a [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupplierId(pub u32);

/// A model that is rented out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name in the price list.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its reference price, micro-USD for one GPU or CPU device for one hour: what a tenth more risk is weighed against.
    pub reference_micro_usd: u32,
}

/// The names, and their numbers, which are given in the order in which the names come and never change.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    models: Vec<Model>,
    by_hardware: BTreeMap<HardwareModel, ModelId>,
    sites: Names,
    suppliers: Names,
}

#[derive(Debug, Clone, Default)]
struct Names {
    list: Vec<ShortName>,
    numbers: BTreeMap<ShortName, u32>,
}

impl Names {
    fn intern(&mut self, name: &ShortName) -> Result<u32, Unusable> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = u32::try_from(self.list.len()).map_err(|_| Unusable::Full)?;
        self.list.push(name.clone());
        self.numbers.insert(name.clone(), number);
        Ok(number)
    }
}

impl Catalogue {
    /// A model's number; its reference price becomes the one given. At most 256 models, each with a price from 1 to
    /// [`MAX_PRICE_MICRO_USD`].
    pub fn model(&mut self, model: Model) -> Result<ModelId, Unusable> {
        if !(1..=MAX_PRICE_MICRO_USD).contains(&model.reference_micro_usd) {
            return Err(Unusable::OutOfRange("reference price"));
        }
        if let Some(id) = self.find_model(&model.hardware) {
            self.models[usize::from(id.0)] = model;
            return Ok(id);
        }
        let id = u8::try_from(self.models.len()).map(ModelId).map_err(|_| Unusable::Full)?;
        self.by_hardware.insert(model.hardware.clone(), id);
        self.models.push(model);
        Ok(id)
    }

    /// A site's number.
    pub fn site(&mut self, name: &ShortName) -> Result<SiteId, Unusable> {
        self.sites.intern(name).map(SiteId)
    }

    /// A supplier's number.
    pub fn supplier(&mut self, name: &ShortName) -> Result<SupplierId, Unusable> {
        self.suppliers.intern(name).map(SupplierId)
    }

    /// The number of a model that is known.
    pub fn find_model(&self, hardware: &HardwareModel) -> Option<ModelId> {
        self.by_hardware.get(hardware).copied()
    }

    /// The number of a supplier that is known.
    pub fn find_supplier(&self, name: &ShortName) -> Option<SupplierId> {
        self.suppliers.numbers.get(name).copied().map(SupplierId)
    }

    /// The number of a site that is known.
    pub fn find_site(&self, name: &ShortName) -> Option<SiteId> {
        self.sites.numbers.get(name).copied().map(SiteId)
    }

    /// What a model's number stands for.
    pub fn model_of(&self, id: ModelId) -> Option<&Model> {
        self.models.get(usize::from(id.0))
    }

    /// What a site's number stands for.
    pub fn site_name(&self, id: SiteId) -> Option<&ShortName> {
        self.sites.list.get(id.0 as usize)
    }

    /// What a supplier's number stands for.
    pub fn supplier_name(&self, id: SupplierId) -> Option<&ShortName> {
        self.suppliers.list.get(id.0 as usize)
    }

    /// All models, with their numbers.
    pub fn models(&self) -> impl Iterator<Item = (ModelId, &Model)> {
        (0_u8..=u8::MAX).map(ModelId).zip(&self.models)
    }

    /// The names of all suppliers.
    pub fn suppliers(&self) -> &[ShortName] {
        &self.suppliers.list
    }
}
