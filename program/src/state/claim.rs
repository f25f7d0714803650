//! New claim accounts.

use ionet_abi::AddressBytes;
use ionet_abi::accounts::{AccountTag, ClaimAccount, ProgramAccount, VERSION};
use pinocchio::{AccountView, Address};

use crate::refusal::Outcome;
use crate::state::create::Place;
use crate::state::open::fill;

/// Whose claims are paid where.
pub(crate) struct Beneficiary {
    /// The device.
    pub(crate) device: AddressBytes,
    /// Who may change the payout wallet.
    pub(crate) owner: AddressBytes,
    /// The payout wallet.
    pub(crate) payout: AddressBytes,
}

impl Beneficiary {
    /// Creates its claim account, for life.
    #[inline(never)]
    pub(crate) fn create(&self, place: &Place, payer: &AccountView, program_id: &Address) -> Outcome {
        place.create(payer, ClaimAccount::SIZE, program_id)?;
        fill(place.account(), |claim: &mut ClaimAccount| {
            claim.tag = AccountTag::Claim as u8;
            claim.version = VERSION;
            claim.bump = place.bump();
            claim.device = self.device;
            claim.owner = self.owner;
            claim.payout = self.payout;
        })
    }
}
