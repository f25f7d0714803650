//! What a customer asks of the machines, where they are, and what the market answers.

pub mod offers;
pub mod places;
pub mod preflight;
pub mod prices;
pub mod requirements;
pub mod traits;

pub use offers::{Attestation, DeviceTerms, SetTermsRequest};
pub use places::{Countries, Country, Location, Region};
pub use preflight::{Exclusion, Preflight, PreflightOffer, PreflightPlacement, Relaxation, RelaxedField};
pub use prices::{Discount, Price, PriceBoard, PriceHistory, PricePoint, SurvivalReport};
pub use requirements::{Arrangement, GpuInstance, Lease, Requirements};
pub use traits::{Compliance, Security, ShortName, Tier};
