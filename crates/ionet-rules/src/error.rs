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
    BooksDoNotBalance = 199, "books_do_not_balance", "the cluster's books would not balance";
}

/// What every rule returns.
pub type RuleResult<T> = Result<T, RuleError>;
