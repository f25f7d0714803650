//! Who asks, and what they may do.

use ionet_types::keys::Scope;
use ionet_types::problem::Code;
use ionet_types::{Address, KeyId};

use crate::error::HubResult;

/// How the caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A session, opened with the wallet's signature.
    Session,
    /// An API key.
    Key(KeyId),
}

/// An authenticated caller. Made by `Hub::authenticate` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// For which wallet it acts.
    pub wallet: Address,
    /// What it may do.
    pub scope: Scope,
    /// How it proved it.
    pub via: Via,
}

impl Caller {
    /// Refuses a caller that may only look.
    pub(crate) fn may_write(&self) -> HubResult<()> {
        if self.scope >= Scope::Write { Ok(()) } else { Err(Code::ScopeInsufficient.into()) }
    }

    /// Refuses a caller that did not sign in with the wallet: a key must not make or revoke keys.
    pub(crate) fn is_wallet(&self) -> HubResult<()> {
        if self.via == Via::Session { Ok(()) } else { Err(Code::ScopeInsufficient.into()) }
    }
}
