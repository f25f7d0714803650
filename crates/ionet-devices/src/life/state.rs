//! The words for how a device is: what it is up to ([`Duty`], from its record alone), and, with what is known of its presence, its
//! [`State`] and the [`Reason`] for it.

use serde::{Deserialize, Serialize};

use super::{BlockReason, TestCode};
use crate::watching::Presence;

macro_rules! words {
    ($(#[$of:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $code:literal,)+ }) => {
        $(#[$of])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $word,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The stable name on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$word => $code,)+ }
            }
        }
    };
}

words! {
    /// What a device is up to, whether or not anybody can see it.
    Duty {
        /// It has never passed a test.
        New = "new",
        /// It passed once, and its last test failed.
        Doubted = "doubted",
        /// Its last test passed: it may be hired.
        Ready = "ready",
        /// A tenant has it.
        Hired = "hired",
        /// Its owner takes it out of the market.
        Paused = "paused",
        /// The network takes it out of the market.
        Blocked = "blocked",
        /// Given up, for good.
        Terminated = "terminated",
    }
}

words! {
    /// How a device is.
    State {
        /// Known, and never verified.
        Registered = "registered",
        /// It is here and has to pass a test, for the first time or again.
        Verifying = "verifying",
        /// It can be hired.
        Ready = "ready",
        /// It works for a tenant.
        Hired = "hired",
        /// Its owner takes it out of the market.
        Paused = "paused",
        /// The hub watches, and it is away.
        Down = "down",
        /// It has been down for more than five days.
        Inactive = "inactive",
        /// The network takes it out of the market.
        Blocked = "blocked",
        /// Given up, for good.
        Terminated = "terminated",
        /// Nobody can tell: the hub itself was away. Counts against nobody.
        Unknown = "unknown",
    }
}

impl State {
    /// The state of a device that is up to this and whose presence is that: the second table of [`crate::life`].
    pub const fn of(duty: Duty, presence: Presence) -> Self {
        match (duty, presence) {
            (Duty::Terminated, _) => Self::Terminated,
            (Duty::Blocked, _) => Self::Blocked,
            (Duty::Paused, _) => Self::Paused,
            (Duty::New | Duty::Doubted, Presence::Here { .. }) => Self::Verifying,
            (Duty::New, _) => Self::Registered,
            (Duty::Ready, Presence::Here { .. }) => Self::Ready,
            (Duty::Hired, Presence::Here { .. }) => Self::Hired,
            // Its record says that it was here, but not when: nobody can tell.
            (Duty::Doubted | Duty::Ready | Duty::Hired, Presence::Never | Presence::Unknown { .. }) => Self::Unknown,
            (Duty::Doubted | Duty::Ready | Duty::Hired, Presence::Down { .. }) => Self::Down,
            (Duty::Doubted | Duty::Ready | Duty::Hired, Presence::Inactive { .. }) => Self::Inactive,
        }
    }
}

/// Why a device is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has not connected yet.
    NeverConnected,
    /// It left before it passed a test.
    NeverVerified,
    /// It is tested for the first time.
    FirstTests,
    /// Its last test failed, with this code.
    TestFailed(TestCode),
    /// Its last test passed.
    TestPassed,
    /// A tenant has it.
    Tenant,
    /// A tenant has it, and is left in peace; when it is released it is blocked for this.
    TenantThenBlocked(BlockReason),
    /// Its owner paused it.
    Owner,
    /// The hub is away.
    HubAway,
    /// The hub is just back and gives devices time to return.
    HubJustBack,
    /// It is not connected.
    NotConnected,
    /// It is blocked for this.
    Blocked(BlockReason),
    /// It was given up.
    GivenUp,
}

impl Reason {
    /// The stable name on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NeverConnected => "never_connected",
            Self::NeverVerified => "never_verified",
            Self::FirstTests => "first_tests",
            Self::TestFailed(_) => "test_failed",
            Self::TestPassed => "test_passed",
            Self::Tenant => "tenant",
            Self::TenantThenBlocked(_) => "tenant_then_blocked",
            Self::Owner => "owner",
            Self::HubAway => "hub_away",
            Self::HubJustBack => "hub_just_back",
            Self::NotConnected => "not_connected",
            Self::Blocked(reason) => reason.code(),
            Self::GivenUp => "given_up",
        }
    }
}
