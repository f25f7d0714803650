//! Why an instruction is refused, as the runtime reports it: faults and rule errors travel as custom error numbers.

use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use pinocchio::error::ProgramError;

/// A refusal. Nothing an instruction did before it remains.
pub(crate) struct Refusal(pub(crate) ProgramError);

/// What every step of an instruction returns.
pub(crate) type Outcome<T = ()> = Result<T, Refusal>;

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self(ProgramError::Custom(fault as u32))
    }
}

impl From<RuleError> for Refusal {
    fn from(error: RuleError) -> Self {
        Self(ProgramError::Custom(error as u32))
    }
}

impl From<ProgramError> for Refusal {
    fn from(error: ProgramError) -> Self {
        Self(error)
    }
}
