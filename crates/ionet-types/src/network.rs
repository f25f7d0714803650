//! The network as a whole: its program, its coins, its parameters, its health.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{Address, TransactionSignature};
use crate::money::{MicroUsd, Money};

/// The network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Whether this is a network on one machine, with a faucet and coins without value.
    pub local: bool,
    /// Version of this hub.
    pub version: String,
    /// The on-chain program.
    pub program_id: Address,
    /// The account that holds the parameters and owns the vaults.
    pub network_address: Address,
    /// Mint of USDC, 6 decimals.
    pub usdc_mint: Address,
    /// Mint of IO, 8 decimals.
    pub io_mint: Address,
    /// The key that signs the network's quotes, as its account on chain names it.
    pub quote_key: Address,
    /// Where the chain's JSON-RPC answers, if it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc_url: Option<String>,
    /// The chain's clock, unix seconds.
    pub now_unix_secs: i64,
    /// Price of one IO, micro-USD; absent while the oracles are silent or disagree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_price_micro_usd: Option<MicroUsd>,
    /// The parameters of the economy.
    pub params: NetworkParams,
}

/// The parameters of the economy, as they stand on chain. `bps` are hundredths of a percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkParams {
    /// How long an unpaid booking waits, seconds; restarted by each payment.
    pub payment_window_secs: u32,
    /// How old an oracle price may be, seconds.
    pub price_max_age_secs: u32,
    /// Reservation fee from the customer.
    pub reservation_customer_bps: u16,
    /// Reservation fee from the supplier.
    pub reservation_supplier_bps: u16,
    /// Facilitation fee in USDC.
    pub facilitation_usdc_bps: u16,
    /// Facilitation fee in IO.
    pub facilitation_io_bps: u16,
    /// Network fee on the worked value.
    pub network_fee_bps: u16,
    /// Part of the network fee that is burned.
    pub network_fee_burn_bps: u16,
    /// Dollar share of suppliers.
    pub dollar_share_bps: u16,
    /// How far the pool's price may be from the oracle's.
    pub pool_guard_bps: u16,
    /// How far fresh oracle prices may be from their median.
    pub price_scatter_bps: u16,
}

impl From<&ionet_rules::params::Params> for NetworkParams {
    fn from(params: &ionet_rules::params::Params) -> Self {
        let ionet_rules::params::Params {
            payment_window_secs,
            price_max_age_secs,
            reservation_customer_bps,
            reservation_supplier_bps,
            facilitation_usdc_bps,
            facilitation_io_bps,
            network_fee_bps,
            network_fee_burn_bps,
            dollar_share_bps,
            pool_guard_bps,
            price_scatter_bps,
            reserved: _,
        } = *params;
        Self {
            payment_window_secs,
            price_max_age_secs,
            reservation_customer_bps,
            reservation_supplier_bps,
            facilitation_usdc_bps,
            facilitation_io_bps,
            network_fee_bps,
            network_fee_burn_bps,
            dollar_share_bps,
            pool_guard_bps,
            price_scatter_bps,
        }
    }
}

impl NetworkParams {
    /// The same in the rules.
    pub fn rules(&self) -> ionet_rules::params::Params {
        ionet_rules::params::Params {
            payment_window_secs: self.payment_window_secs,
            price_max_age_secs: self.price_max_age_secs,
            reservation_customer_bps: self.reservation_customer_bps,
            reservation_supplier_bps: self.reservation_supplier_bps,
            facilitation_usdc_bps: self.facilitation_usdc_bps,
            facilitation_io_bps: self.facilitation_io_bps,
            network_fee_bps: self.network_fee_bps,
            network_fee_burn_bps: self.network_fee_burn_bps,
            dollar_share_bps: self.dollar_share_bps,
            pool_guard_bps: self.pool_guard_bps,
            price_scatter_bps: self.price_scatter_bps,
            reserved: [0; 7],
        }
    }
}

/// Whether the hub can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// All of the below.
    pub ok: bool,
    /// The store answers.
    pub store: bool,
    /// The chain answers.
    pub chain: bool,
    /// Agents connected.
    pub connected_devices: u32,
}

/// Who wants coins of a local network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaucetRequest {
    /// The wallet.
    pub wallet: Address,
}

/// What the faucet gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaucetGift {
    /// USDC.
    pub usdc: Money,
    /// IO.
    pub io: Money,
    /// Lamports: 10^9 are one SOL.
    pub lamports: u64,
    /// The transaction.
    pub signature: TransactionSignature,
}
