//! Why a rule says no. The numbers are stable: they travel as the program's custom error codes and name the API's `code`s.

macro_rules! rule_errors {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $sentence:literal;)+) => {
        /// A refusal by a rule of the economy. Nothing has moved when one is returned.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum RuleError {
            $($(#[$doc])* #[doc = $sentence] $name = $number,)+
        }

        impl RuleError {
            /// Every refusal, in the order of its number.
            pub const ALL: &'static [RuleError] = &[$(RuleError::$name),+];

            /// The stable machine-readable name, `snake_case`.
            pub const fn code(self) -> &'static str {
                match self { $(RuleError::$name => $code,)+ }
            }

            /// One sentence for a person: what is wrong.
            pub const fn sentence(self) -> &'static str {
                match self { $(RuleError::$name => $sentence,)+ }
            }

            /// The refusal with this number, as read from a failed transaction.
            pub const fn from_number(number: u32) -> Option<RuleError> {
                match number { $($number => Some(RuleError::$name),)+ _ => None }
            }
        }
    };
}

rule_errors! {
    Overflow = 100, "amount_out_of_range", "an amount is larger than the network can count";
    CurrencyMismatch = 101, "currency_mismatch", "amounts of two currencies were mixed";
    ParamOutOfBounds = 102, "param_out_of_bounds", "a network parameter is outside its hard bounds";
    UnknownValue = 103, "unknown_value", "a stored or sent value is none of the known ones";
    QuantityOutOfRange = 110, "quantity_out_of_range", "the number of devices must be between 1 and 100000";
    MinutesOutOfRange = 111, "minutes_out_of_range", "the hired time must be between 1 minute and 10 years";
    RateOutOfRange = 112, "rate_out_of_range", "the rate must be above zero and within range";
    ZeroAmount = 113, "zero_amount", "the amount must be above zero";
    QuoteExpired = 114, "quote_expired", "the quote is no longer valid: ask for a new one";
    NotPayable = 120, "not_payable", "this cluster does not take a payment in its present state";
    PaymentWindowOver = 121, "payment_window_over", "the payment window is over: the booking has expired";
    Overpayment = 122, "overpayment", "the payment is larger than what is still due";
    WrongSequence = 123, "wrong_sequence", "this step was already done or comes too early: the sequence number does not match";
    PaymentWindowOpen = 124, "payment_window_open", "the payment window is still open";
    NotStartable = 130, "not_startable", "only a paid cluster that has not started can start";
    NotExtendable = 131, "not_extendable", "only a paid or running cluster whose hired time is not over can be extended";
    NotRunning = 132, "not_running", "the cluster is not running";
    WorkTooEarly = 133, "work_too_early", "the period of this work log is not over yet";
    WorkTooLarge = 134, "work_too_large", "the work log claims more minutes than its period holds";
    NotRefundable = 140, "not_refundable", "only an ended cluster that was not refunded yet can be refunded";
    NothingDue = 141, "nothing_due", "there is nothing to convert or to earn";
    PriceStale = 150, "price_stale", "too few fresh oracle prices";
    PriceScattered = 151, "price_scattered", "the oracle prices are too far apart";
    PriceOutOfRange = 152, "price_out_of_range", "the price must be above zero and within range";
    PriceNotNewer = 153, "price_not_newer", "an oracle's price must be newer than its last one";
    UnknownOracle = 154, "unknown_oracle", "this key is not one of the network's oracles";
    PoolEmpty = 160, "pool_empty", "the pool has no reserves";
    PoolOffOracle = 161, "pool_off_oracle", "the pool's price is too far from the oracle's";
    ProcessorsOutOfRange = 170, "processors_out_of_range", "the number of processors must be between 1 and 4096";
    UnknownModel = 171, "unknown_model", "the multiplier table has no such model of this kind";
    Unstaking = 172, "unstaking", "it is being unstaked, and that cannot be taken back";
    NotUnstaking = 173, "not_unstaking", "it is not being unstaked: begin that first";
    WaitNotOver = 174, "wait_not_over", "the waiting time is not over yet";
    NothingStaked = 175, "nothing_staked", "nothing is staked here";
    StakeNeeded = 176, "stake_needed", "only what exceeds the minimum, the co-staker's half and what is frozen can be withdrawn";
    StakeFrozen = 177, "stake_frozen", "what is left is frozen by a case";
    ShareOutOfRange = 178, "share_out_of_range", "the co-staker's share must be above zero and at most all of the block rewards";
    CoStakeTaken = 179, "co_stake_taken", "this device has a co-staker, and its terms are locked";
    NoSuchOffer = 180, "no_such_offer", "there is no offer with these terms";
    CoStakeTooLarge = 181, "co_stake_too_large", "a co-stake is at most what was offered and at most half of the stake";
    NoCoStake = 182, "no_co_stake", "this device has no co-staker";
    NoticeGiven = 183, "notice_given", "notice was given already";
    SlashTooLarge = 184, "slash_too_large", "a case can take no more than its offence's and its month's bound, and no more than there is";
    CaseNotOpen = 185, "case_not_open", "the case has come to its end or was appealed already";
    AppealTooLate = 186, "appeal_too_late", "the time for an appeal is over";
    CaseNotDecidable = 187, "case_not_decidable", "this cannot be decided now: too early, too late, or nobody appealed";
    EpochNotOver = 188, "epoch_not_over", "the next epoch is not over yet";
    WrongEpoch = 189, "wrong_epoch", "the statement's epoch is not after the accepted one, or was not minted yet";
    StatementUnsound = 190, "statement_unsound", "the statement takes something back or promises more than there is";
    NotBonded = 191, "not_bonded", "only a verifier with the minimum bond can do this";
    VotedAlready = 192, "voted_already", "this verifier votes for this statement already";
    NotAgreed = 193, "not_agreed", "fewer than two thirds of the bonded weight stand behind this statement";
    ChallengeWindowOpen = 194, "challenge_window_open", "the challenge window is still open";
    NothingToClaim = 195, "nothing_to_claim", "everything was claimed already";
    BreakerOpen = 196, "breaker_open", "this hour's bound on claims is used up: claim again in the next hour";
    WrongProof = 197, "wrong_proof", "the proof does not lead to the accepted root";
    NoVote = 198, "no_vote", "no verifier votes from this place";
    BooksDoNotBalance = 199, "books_do_not_balance", "the cluster's books would not balance";
}

/// What every rule returns.
pub type RuleResult<T> = Result<T, RuleError>;
