//! What devices cost now: by the oracle, which follows the market, or by the price list alone.

use ionet_market::PriceList;
use ionet_market::durations::{Discounts, Unit};
use ionet_market::oracle::{Cell, Explanation, History, Multipliers, Oracle, Point, Series};
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use ionet_store::Store;
use ionet_types::MicroUsd;
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{Discount, Price, PriceBoard, PriceHistory, PricePoint, Tier};
use ionet_types::problem::Code;

use super::State;
use crate::Hub;
use crate::error::{HubError, HubResult};
use crate::options::{HubOptions, Pricing};

/// How often the oracle looks at the network, seconds.
const LOOK_EVERY_SECS: i64 = 60;
/// The region of a model that has no devices.
const ANYWHERE: &str = "anywhere";

/// The oracle as it was left, with the index that it has published.
pub(super) async fn load(store: &Store, options: &HubOptions) -> HubResult<(Option<Oracle>, History)> {
    let mut history = History::default();
    for point in store.price_points().await? {
        history.push([serde_json::from_str::<Point>(&point).map_err(HubError::internal)?]);
    }
    let oracle = match (options.pricing, store.price_oracle().await?) {
        (Pricing::List, _) => None,
        (Pricing::Market, Some(state)) => Some(serde_json::from_str(&state).map_err(HubError::internal)?),
        (Pricing::Market, None) => Some(Oracle::new(Multipliers::default(), &options.prices, options.clock.now_unix_secs())),
    };
    Ok((oracle, history))
}

impl Hub {
    /// The price of a cell, micro-USD for one GPU, or for one device without one, for one hour.
    pub(super) fn price(&self, state: &State, cell: &Cell, now_unix_secs: i64) -> Option<MicroUsd> {
        match &state.oracle {
            Some(oracle) => oracle.price(cell, now_unix_secs),
            None => self.options().prices.model(&cell.model).map(|model| model.rate_micro_usd),
        }
    }

    /// The price of a model of which no device is known.
    pub(crate) fn model_price(&self, state: &State, hardware: &HardwareModel, now_unix_secs: i64) -> Option<MicroUsd> {
        self.price(state, &anywhere(hardware), now_unix_secs)
    }

    /// What a cell's price is made of.
    pub(crate) fn explained(&self, state: &State, cell: &Cell, now_unix_secs: i64) -> Option<Price> {
        match &state.oracle {
            Some(oracle) => oracle.explain(cell, now_unix_secs).map(viewed),
            None => listed(&self.options().prices, cell, now_unix_secs),
        }
    }

    /// Tells the oracle how the network is, when it is time, and keeps what it says.
    pub(crate) async fn prices_update(&self) -> HubResult<()> {
        let now_unix_secs = self.clock().now_unix_secs();
        let (text, points) = {
            let mut state = self.market().lock();
            let State { oracle, observations, history, .. } = &mut *state;
            let Some(oracle) = oracle else { return Ok(()) };
            if now_unix_secs.saturating_sub(oracle.at_unix_secs()) < LOOK_EVERY_SECS {
                return Ok(());
            }
            let updated = oracle.update(&self.options().prices, observations, now_unix_secs);
            for model in &updated.unpriced {
                tracing::warn!(%model, "devices of a model without a price");
            }
            history.push(updated.points.iter().cloned());
            (serde_json::to_string(oracle).map_err(HubError::internal)?, updated.points)
        };
        let rows: Result<Vec<_>, _> = points
            .iter()
            .map(|point| {
                let series = match &point.series {
                    Series::Network => String::new(),
                    Series::Model(model) => model.to_string(),
                };
                serde_json::to_string(point).map(|text| (series, point.from_unix_secs, text))
            })
            .collect();
        self.store().price_oracle_set(&text, &rows.map_err(HubError::internal)?, now_unix_secs).await?;
        // Every device has another price now.
        self.market().mark_all();
        Ok(())
    }

    /// All prices of now.
    pub async fn price_board(&self) -> HubResult<PriceBoard> {
        self.market_refresh().await?;
        let now_unix_secs = self.clock().now_unix_secs();
        let params = self.ledger().network().await?.params;
        let state = self.market().lock();
        let mut cells: Vec<Cell> = state.observations.cells().cloned().collect();
        for model in self.options().prices.models() {
            if !cells.iter().any(|cell| cell.model == model.hardware) {
                cells.push(anywhere(&model.hardware));
            }
        }
        cells.sort();
        let items = cells.iter().filter_map(|cell| self.explained(&state, cell, now_unix_secs)).collect();
        Ok(PriceBoard { follows_market: state.oracle.is_some(), items, discounts: discounts(&params) })
    }

    /// The price index of a model, or of the whole network, by hours or by days.
    pub fn price_history(&self, hardware: Option<&HardwareModel>, days: bool) -> HubResult<PriceHistory> {
        if let Some(hardware) = hardware
            && self.options().prices.model(hardware).is_none()
        {
            return Err(HubError::from(Code::HardwareUnknown).of("hardware"));
        }
        let series = hardware.map_or(Series::Network, |hardware| Series::Model(hardware.clone()));
        let state = self.market().lock();
        let items = if days { state.history.days(&series).map(point).collect() } else { state.history.hours(&series).map(point).collect() };
        Ok(PriceHistory { hardware: hardware.cloned(), items })
    }
}

/// The discounts that floors are weighed with: USDC's, the greater ones.
pub(super) fn floor_discounts() -> Discounts {
    Discounts::new(Currency::Usdc, &Params::DEFAULT)
}

/// The cell of a model without devices.
pub(crate) fn anywhere(hardware: &HardwareModel) -> Cell {
    let region = ANYWHERE.parse().expect("lower-case letters");
    Cell { model: hardware.clone(), tier: ionet_rules::rewards::Tier::Medium, region }
}

fn discounts(params: &Params) -> Vec<Discount> {
    let (usdc, io) = (Discounts::new(Currency::Usdc, params), Discounts::new(Currency::Io, params));
    let bps = |discounts: Discounts, minutes| u32::try_from(discounts.bps(minutes)).unwrap_or(u32::MAX);
    let each = Unit::ALL.into_iter().map(Unit::minutes);
    each.map(|minutes| Discount { minutes, usdc_bps: bps(usdc, minutes), io_bps: bps(io, minutes) }).collect()
}

fn viewed(explained: Explanation) -> Price {
    let bound = explained.bound.map(|bound| serde_json::to_value(bound).ok()?.as_str().map(str::to_owned));
    Price {
        hardware: explained.cell.model,
        tier: explained.cell.tier.into(),
        region: explained.cell.region.to_string(),
        reference_micro_usd: explained.reference,
        offered_milli: explained.offered_milli,
        hired_milli: explained.hired_milli,
        model_offered_milli: explained.model_offered_milli,
        model_hired_milli: explained.model_hired_milli,
        utilisation_bps: explained.utilisation_bps,
        scarcity_ppm: explained.scarcity_ppm,
        tier_bps: explained.tier_bps,
        region_bps: explained.region_bps,
        supply_floor_micro_usd: explained.supply_floor,
        asked_micro_usd: explained.asked,
        lowest_micro_usd: explained.lowest,
        highest_micro_usd: explained.highest,
        bound: bound.flatten(),
        target_micro_usd: explained.target,
        price_micro_usd: explained.price,
        observed_at_unix_secs: explained.observed_at_unix_secs,
    }
}

/// The price list's own price, as one that nothing moves.
fn listed(prices: &PriceList, cell: &Cell, now_unix_secs: i64) -> Option<Price> {
    let reference = prices.model(&cell.model)?.rate_micro_usd;
    Some(Price {
        hardware: cell.model.clone(),
        tier: Tier::from(cell.tier),
        region: cell.region.to_string(),
        reference_micro_usd: reference,
        offered_milli: 0,
        hired_milli: 0,
        model_offered_milli: 0,
        model_hired_milli: 0,
        utilisation_bps: 0,
        scarcity_ppm: 1_000_000,
        tier_bps: 10_000,
        region_bps: 10_000,
        supply_floor_micro_usd: MicroUsd(0),
        asked_micro_usd: reference,
        lowest_micro_usd: reference,
        highest_micro_usd: reference,
        bound: None,
        target_micro_usd: reference,
        price_micro_usd: reference,
        observed_at_unix_secs: now_unix_secs,
    })
}

fn point(point: &Point) -> PricePoint {
    PricePoint {
        from_unix_secs: point.from_unix_secs,
        index_micro_points: point.index_micro_points,
        price_micro_usd: point.price,
        hired_milli_hours: point.hired_gpu_milli_hours,
        offered_milli_hours: point.offered_gpu_milli_hours,
        utilisation_bps: u32::try_from(point.utilisation_bps()).unwrap_or(u32::MAX),
    }
}
