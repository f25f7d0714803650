//! A failed transaction, and whose refusal it is. A custom error number alone does not say: 1 is one thing for the token program and
//! another for ours, and an error inside a call comes out of the caller unchanged. The log says which program failed first.

use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use solana_address::Address;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;
use spl_token_interface::error::TokenError;

use crate::address::TOKEN_PROGRAM;
use crate::error::LedgerError;

/// Refusals of the rules start at this number, beyond those of the token program.
const FIRST_RULE: u32 = 100;

/// Why a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The runtime's verdict.
    pub error: TransactionError,
    /// The program logs, as far as the endpoint gave them.
    pub logs: Vec<String>,
}

impl Failure {
    /// The program whose code failed first, if the log says so.
    pub fn failed_program(&self) -> Option<Address> {
        self.logs.iter().find_map(|line| {
            let (program, _) = line.strip_prefix("Program ")?.split_once(" failed: ")?;
            program.parse().ok()
        })
    }

    /// Whether telling whose error it is needs logs that are not there.
    pub(crate) fn needs_logs(&self) -> bool {
        self.logs.is_empty()
            && matches!(self.error, TransactionError::InstructionError(_, InstructionError::Custom(number)) if number < FIRST_RULE)
    }

    /// The error as a caller should see it.
    pub fn reason(&self) -> LedgerError {
        match &self.error {
            TransactionError::InstructionError(_, InstructionError::Custom(number)) => self.custom(*number),
            TransactionError::InstructionError(_, InstructionError::InsufficientFunds)
            | TransactionError::InsufficientFundsForFee
            | TransactionError::InsufficientFundsForRent { .. } => LedgerError::InsufficientFunds,
            other => LedgerError::TransactionFailed(other.clone()),
        }
    }

    fn custom(&self, number: u32) -> LedgerError {
        let other = || LedgerError::TransactionFailed(self.error.clone());
        if let Some(rule) = RuleError::from_number(number) {
            return LedgerError::Rule(rule);
        }
        match self.failed_program() {
            Some(program) if program == TOKEN_PROGRAM => match TokenError::try_from(number) {
                Ok(TokenError::InsufficientFunds) => LedgerError::InsufficientFunds,
                Ok(error) => LedgerError::Token(error.to_string()),
                Err(_) => other(),
            },
            // The system program's 1 is `ResultWithNegativeLamports`.
            Some(program) if program == crate::address::SYSTEM_PROGRAM && number == 1 => LedgerError::InsufficientFunds,
            Some(program) if program == crate::address::SYSTEM_PROGRAM => other(),
            _ => Fault::from_number(number).map_or_else(other, LedgerError::Fault),
        }
    }
}
