//! What can be hired now.

use std::collections::{BTreeMap, BTreeSet};

use ionet_devices::{Event, Life};
use ionet_market::Candidate;
use ionet_market::placement::FAILURE_MEMORY_SECS;
use ionet_types::hardware::{HardwareList, HardwareOffer};

use crate::Hub;
use crate::devices::reputation::PARAMS;
use crate::error::HubResult;

impl Hub {
    /// Every model with a price, and how many devices of it there are.
    pub async fn hardware_list(&self) -> HubResult<HardwareList> {
        let candidates = self.candidates().await?;
        let seen = self.agents().0.directory.seen();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let offer = |model: &ionet_market::Model| HardwareOffer {
            hardware: model.hardware.clone(),
            kind: model.kind,
            name: model.name.clone(),
            rate_micro_usd: model.rate_micro_usd,
            free_devices: count(candidates.iter().filter(|candidate| candidate.hardware == model.hardware).count()),
            connected_devices: count(seen.values().filter(|seen| seen.model.as_ref() == Some(&model.hardware)).count()),
        };
        Ok(HardwareList { items: self.options().prices.models().iter().map(offer).collect() })
    }

    /// The devices that could be hired now: verified and connected, of a model with a price, and reserved for nobody.
    pub(crate) async fn candidates(&self) -> HubResult<Vec<Candidate>> {
        let reserved: BTreeSet<_> = self.store().reservations().await?.into_iter().map(|reservation| reservation.device_id).collect();
        let since = self.clock().now_unix_secs().saturating_sub(FAILURE_MEMORY_SECS);
        let failed: BTreeMap<_, _> = self.store().devices_failed_since(since).await?.into_iter().collect();
        let seen = self.agents().0.directory.seen();
        let now_unix_secs = self.clock().now_unix_secs();
        let lives = &self.agents().0.lives;
        // The reservations are the truth about who is hired, the sessions about who is there; a life hears of it a moment later.
        let as_it_is = |life: &Life| {
            let mut life = *life;
            // Refused only of a device that was given up, which is not offered.
            let _ = life.apply(Event::Released, now_unix_secs);
            let _ = life.apply(Event::Alive, now_unix_secs);
            life
        };
        let hireable: BTreeSet<_> = lives
            .select(|device, life, watching| as_it_is(life).may_be_hired(now_unix_secs, watching).then_some(device))
            .into_iter()
            .collect();
        let candidate = |(device, seen): (_, crate::agents::Seen)| {
            let free = hireable.contains(&device) && !reserved.contains(&device);
            Some(Candidate {
                device,
                hardware: seen.model.filter(|_| free)?,
                cpus: seen.hardware.cpus,
                reputation: lives.reputation(device).score(now_unix_secs, PARAMS),
                failed_at_unix_secs: failed.get(&device).copied().unwrap_or(0),
            })
        };
        Ok(seen.into_iter().filter_map(candidate).collect())
    }
}
