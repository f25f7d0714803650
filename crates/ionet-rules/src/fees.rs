//! Who pays which fee (docs/economy.md, section 2), and how a worked value is divided (section 3).

use crate::RuleResult;
use crate::money::{Currency, Io, Units};
use crate::params::Params;

/// What the customer pays on top of the compute cost: reservation plus facilitation, each rounded up.
pub fn customer_fees(cost: Units, currency: Currency, params: &Params) -> RuleResult<Units> {
    cost.share_up(params.reservation_customer_bps)?.plus(cost.share_up(facilitation_bps(currency, params))?)
}

fn facilitation_bps(currency: Currency, params: &Params) -> u16 {
    match currency {
        Currency::Usdc => params.facilitation_usdc_bps,
        Currency::Io => params.facilitation_io_bps,
    }
}

/// How one worked value V is divided. The parts always sum to V.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkedSplit {
    /// To the payable vault: `d x S`, rounded down, where S is V less the supplier's fees.
    pub supplier: Units,
    /// Part of V that is the network fee; it stays inside [`WorkedSplit::rest`].
    pub network_fee: Units,
    /// V less the supplier part: repurchased into IO (or already IO) and earned.
    pub rest: Units,
}

/// What a worked value V leaves after the supplier's fees: S. Reservation, facilitation and network fee are each rounded up, and never more
/// than V in all.
pub fn after_fees(value: Units, currency: Currency, params: &Params) -> RuleResult<Units> {
    let network_fee = Units(value.share_up(params.network_fee_bps)?.0.min(value.0));
    let other = value.share_up(params.reservation_supplier_bps)?.plus(value.share_up(facilitation_bps(currency, params))?)?;
    let fees = network_fee.plus(other)?;
    Ok(Units(value.0.saturating_sub(fees.0)))
}

/// Divides a worked value: of S, what the fees leave ([`after_fees`]), the supplier part is the dollar share.
pub fn split_worked(value: Units, currency: Currency, params: &Params) -> RuleResult<WorkedSplit> {
    let network_fee = Units(value.share_up(params.network_fee_bps)?.0.min(value.0));
    let after_fees = after_fees(value, currency, params)?;
    let supplier = after_fees.share_down(params.dollar_share_bps)?;
    Ok(WorkedSplit { supplier, network_fee, rest: value.minus(supplier)? })
}

/// Where earned IO goes. The parts always sum to what was earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarnSplit {
    /// Burned, rounded down.
    pub burned: Io,
    /// To the incentives vault.
    pub incentives: Io,
    /// To the treasury.
    pub treasury: Io,
}

/// Divides earned IO: of its `network_fee` part the burn share is burned and the remainder is for incentives; all else is the treasury's.
pub fn split_earned(amount: Io, network_fee: Io, params: &Params) -> RuleResult<EarnSplit> {
    let treasury = amount.minus(network_fee)?;
    let burned = network_fee.share_down(params.network_fee_burn_bps)?;
    Ok(EarnSplit { burned, incentives: network_fee.minus(burned)?, treasury })
}
