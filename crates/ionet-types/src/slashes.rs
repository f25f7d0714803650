//! Slashing cases.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{CaseId, DeviceId, Sha256};
use crate::money::Money;
use crate::supply::{Offence, SlashParts};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// Opened; the appeal may come.
    Open,
    /// Appealed; the council decides.
    Appealed,
    /// What was frozen is burned.
    Burned,
    /// What was frozen is free again.
    Freed,
}

impl CaseStatus {
    /// The same status in the rules.
    pub const fn rules(self) -> ionet_rules::slash::CaseStatus {
        use ionet_rules::slash::CaseStatus as Rules;
        match self {
            Self::Open => Rules::Open,
            Self::Appealed => Rules::Appealed,
            Self::Burned => Rules::Burned,
            Self::Freed => Rules::Freed,
        }
    }
}

impl From<ionet_rules::slash::CaseStatus> for CaseStatus {
    fn from(status: ionet_rules::slash::CaseStatus) -> Self {
        use ionet_rules::slash::CaseStatus as Rules;
        match status {
            Rules::Open => Self::Open,
            Rules::Appealed => Self::Appealed,
            Rules::Burned => Self::Burned,
            Rules::Freed => Self::Freed,
        }
    }
}

/// A slashing case, read from the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlashCase {
    /// The case.
    pub id: CaseId,
    /// The device accused.
    pub device: DeviceId,
    /// What it is accused of.
    pub offence: Offence,
    /// Where it stands.
    pub status: CaseStatus,
    /// What it has frozen, or has burned or freed.
    pub amount: Money,
    /// Whose money that is.
    pub parts: SlashParts,
    /// Hash of the evidence.
    pub evidence: Sha256,
    /// Hash of the appeal; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Sha256>,
    /// When it was opened, unix seconds.
    pub opened_at_unix_secs: i64,
    /// Until when an appeal is taken, unix seconds.
    pub appeal_by_unix_secs: i64,
    /// When it was appealed, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appealed_at_unix_secs: Option<i64>,
    /// Until when the council may decide on the appeal, unix seconds; without a decision the stake is freed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by_unix_secs: Option<i64>,
    /// When it came to its end, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at_unix_secs: Option<i64>,
}

/// Cases, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlashCaseList {
    /// The cases.
    pub items: Vec<SlashCase>,
}

/// To appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealRequest {
    /// Hash of the appeal's text, which goes to the council itself.
    pub appeal: Sha256,
}
