//! What a request would get, or what is in its way and what would help.

use ionet_market::placed::Placement;
use ionet_types::MicroUsd;
use ionet_types::market::{Exclusion, Preflight, PreflightOffer, PreflightPlacement, Relaxation, RelaxedField};
use ionet_types::problem::Code;
use ionet_types::quotes::QuoteRequest;

use crate::Hub;
use crate::error::{HubError, HubResult};
use crate::market::{State, together};

/// Relaxations that are told at most.
const MOST_RELAXATIONS: usize = 16;

impl Hub {
    /// The answer to a request before it is made. Nothing is reserved.
    pub async fn preflight(&self, request: &QuoteRequest) -> HubResult<Preflight> {
        let checked = self.checked(request)?;
        self.market_refresh().await?;
        let mut state = self.market().lock();
        let seed = rand::random();
        let mut found = state.index.preflight(&checked, seed);
        if found.placement.is_none()
            && let Some(together) = together(&checked)
            && state.index.place(&together, seed).is_some()
        {
            found = state.index.preflight(&together, seed);
        }
        let relaxed = |relaxation: &ionet_market::preflight::Relaxation| -> HubResult<Relaxation> {
            let field = |change: &ionet_market::preflight::Change| RelaxedField {
                field: change.field().to_owned(),
                detail: change.describe(&checked, &state.catalogue),
            };
            Ok(Relaxation { changes: relaxation.changes.iter().map(field).collect(), placement: placed(&state, &relaxation.placement)? })
        };
        Ok(Preflight {
            fits: found.placement.is_some(),
            devices: count(found.devices),
            fitting: count(found.fitting),
            placement: found.placement.as_ref().map(|placement| placed(&state, placement)).transpose()?,
            offers: found
                .offers
                .iter()
                .filter_map(|offer| {
                    Some(PreflightOffer {
                        hardware: state.catalogue.model_of(offer.model)?.hardware.clone(),
                        region: offer.region,
                        tier: offer.tier,
                        devices: count(offer.devices),
                        from_micro_usd: MicroUsd(offer.from_micro_usd.into()),
                        to_micro_usd: MicroUsd(offer.to_micro_usd.into()),
                    })
                })
                .collect(),
            excluded: found
                .excluded
                .iter()
                .map(|excluded| Exclusion {
                    condition: excluded.condition.code().to_owned(),
                    devices: count(excluded.devices),
                    alone: count(excluded.alone),
                })
                .collect(),
            relaxations: found.relaxations.iter().take(MOST_RELAXATIONS).map(relaxed).collect::<HubResult<_>>()?,
        })
    }
}

fn placed(state: &State, placement: &Placement) -> HubResult<PreflightPlacement> {
    let model = state.catalogue.model_of(placement.model).ok_or_else(|| HubError::from(Code::HardwareUnknown))?;
    Ok(PreflightPlacement {
        hardware: model.hardware.clone(),
        sites: count(placement.sites),
        price_micro_usd: MicroUsd(placement.price_micro_usd.into()),
    })
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
