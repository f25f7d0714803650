//! Accounts as clients ask for them.

use crate::{RpcError, state::State, token};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{
    MAX_BASE58_BYTES, UiAccount, UiAccountEncoding, UiDataSliceConfig, encode_ui_account,
    parse_account_data::{AccountAdditionalDataV3, SplTokenAdditionalDataV2},
};
use solana_address::Address;
use spl_token_2022_interface::{
    extension::{
        BaseStateWithExtensions, StateWithExtensions, interest_bearing_mint::InterestBearingConfig, scaled_ui_amount::ScaledUiAmountConfig,
    },
    state::Mint,
};

/// How a client wants its accounts.
#[derive(Clone, Copy)]
pub(crate) struct Encoding {
    pub(crate) encoding: UiAccountEncoding,
    pub(crate) slice: Option<UiDataSliceConfig>,
}

/// An account taken from the state, with what its encoding needs beside it. Encoding happens elsewhere.
pub(crate) struct Fetched {
    pub(crate) address: Address,
    pub(crate) account: AccountSharedData,
    mint: Option<AccountSharedData>,
    unix_secs: i64,
}

impl Fetched {
    pub(crate) fn from_state(state: &State, address: Address, encoding: Encoding) -> Option<Self> {
        let account = state.account(&address)?.clone();
        Some(Self::with_account(state, address, account, encoding))
    }

    /// For an account that is not (yet) in the state.
    pub(crate) fn with_account(state: &State, address: Address, account: AccountSharedData, encoding: Encoding) -> Self {
        let mint = (encoding.encoding == UiAccountEncoding::JsonParsed)
            .then(|| token::holding(&account))
            .flatten()
            .and_then(|holding| state.account(&holding.mint).cloned());
        Self { address, account, mint, unix_secs: state.now().unix_secs }
    }

    pub(crate) fn encode(&self, how: Encoding) -> Result<UiAccount, RpcError> {
        let base58 = matches!(how.encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58);
        if base58 && sliced_len(self.account.data().len(), how.slice) > MAX_BASE58_BYTES {
            return Err(RpcError::invalid_request(format!(
                "Encoded binary (base 58) data should be less than {MAX_BASE58_BYTES} bytes, please use Base64 encoding."
            )));
        }
        Ok(self.encode_lenient(how))
    }

    /// Like [`Fetched::encode`]; data that is too large for base58 is replaced by a word that says so.
    pub(crate) fn encode_lenient(&self, how: Encoding) -> UiAccount {
        let additional = self
            .mint
            .as_ref()
            .and_then(|mint| mint_data(mint.data(), self.unix_secs))
            .map(|mint| AccountAdditionalDataV3 { spl_token_additional_data: Some(mint) });
        encode_ui_account(&self.address, &self.account, how.encoding, additional, how.slice)
    }
}

fn sliced_len(len: usize, slice: Option<UiDataSliceConfig>) -> usize {
    slice.map_or(len, |slice| slice.length.min(len.saturating_sub(slice.offset)))
}

/// What turns a mint's base units into the amount people see.
pub(crate) fn mint_data(data: &[u8], unix_secs: i64) -> Option<SplTokenAdditionalDataV2> {
    let mint = StateWithExtensions::<Mint>::unpack(data).ok()?;
    Some(SplTokenAdditionalDataV2 {
        decimals: mint.base.decimals,
        interest_bearing_config: mint.get_extension::<InterestBearingConfig>().ok().map(|config| (*config, unix_secs)),
        scaled_ui_amount_config: mint.get_extension::<ScaledUiAmountConfig>().ok().map(|config| (*config, unix_secs)),
    })
}
