//! The instructions by name and number.

/// First byte of the instruction data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tag {
    /// Creates the network. Once per program.
    Initialize = 0,
    /// Sets the oracle set.
    SetOracles = 1,
    /// An oracle's price.
    SubmitPrice = 2,
    /// Puts reserves into the pool.
    FundPool = 3,
    /// Books a cluster.
    BookProduct = 4,
    /// Pays, in any number of stages.
    Pay = 5,
    /// The cluster runs.
    Start = 6,
    /// Extends and pays for it.
    Extend = 7,
    /// Writes a work log.
    Worked = 8,
    /// Refunds an ended cluster.
    Refund = 9,
    /// Converts worked USDC into IO.
    Repurchase = 10,
    /// Sends earned IO on.
    Earn = 11,
    /// Expires an unpaid booking.
    Expire = 12,
    /// Sets up the supply side. Once per network.
    InitializeSupply = 13,
    /// Sets entries of the multiplier table.
    SetMultipliers = 14,
    /// Admits a verifier, or empties its place.
    AdmitVerifier = 15,
    /// A verifier bonds.
    Bond = 16,
    /// A verifier begins to take its bond out.
    Unbond = 17,
    /// A verifier takes its bond.
    WithdrawBond = 18,
    /// Mints for an epoch that is over.
    MintEpoch = 19,
    /// A verifier votes for a root.
    PostRoot = 20,
    /// A root that was agreed on counts.
    AcceptRoot = 21,
    /// The council strikes a root.
    StrikeRoot = 22,
    /// Registers a device with its owner.
    RegisterDevice = 23,
    /// Changes a payout wallet.
    SetPayout = 24,
    /// Stakes on a device.
    Stake = 25,
    /// Withdraws overflow, or what is unstaked.
    WithdrawStake = 26,
    /// Begins to unstake.
    Unstake = 27,
    /// Offers a co-stake.
    OfferCoStake = 28,
    /// Co-stakes.
    AcceptCoStake = 29,
    /// Gives notice of a co-stake.
    EndCoStake = 30,
    /// Takes a co-stake out.
    WithdrawCoStake = 31,
    /// Opens a case against a device.
    OpenCase = 32,
    /// Appeals.
    AppealCase = 33,
    /// Decides an appeal.
    DecideCase = 34,
    /// Carries out what time decided.
    LapseCase = 35,
    /// Pays a beneficiary.
    Claim = 36,
}

impl Tag {
    /// All instructions, in the order of their tag.
    pub const ALL: [Self; 37] = [
        Self::Initialize,
        Self::SetOracles,
        Self::SubmitPrice,
        Self::FundPool,
        Self::BookProduct,
        Self::Pay,
        Self::Start,
        Self::Extend,
        Self::Worked,
        Self::Refund,
        Self::Repurchase,
        Self::Earn,
        Self::Expire,
        Self::InitializeSupply,
        Self::SetMultipliers,
        Self::AdmitVerifier,
        Self::Bond,
        Self::Unbond,
        Self::WithdrawBond,
        Self::MintEpoch,
        Self::PostRoot,
        Self::AcceptRoot,
        Self::StrikeRoot,
        Self::RegisterDevice,
        Self::SetPayout,
        Self::Stake,
        Self::WithdrawStake,
        Self::Unstake,
        Self::OfferCoStake,
        Self::AcceptCoStake,
        Self::EndCoStake,
        Self::WithdrawCoStake,
        Self::OpenCase,
        Self::AppealCase,
        Self::DecideCase,
        Self::LapseCase,
        Self::Claim,
    ];

    /// The instruction with this tag.
    pub fn from_u8(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}
