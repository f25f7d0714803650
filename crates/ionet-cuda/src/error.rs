//! Why a machine's cards cannot answer challenges: each reason has a stable code and something that can be done about it.

use thiserror::Error;

/// Oldest CUDA that a driver must serve: 11.8, for which the kernels are compiled; 1000 times the major version and 10 times the minor one.
pub const CUDA_NEEDED: u32 = 11_080;
/// Oldest compute capability of a card, in tenths: Volta.
pub const CAPABILITY_NEEDED: u32 = 70;

/// Why there is no engine on cards.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CudaError {
    /// There is no `libcuda` on this machine.
    #[error("NVIDIA's library libcuda is not there")]
    NoDriver,
    /// The driver is there and does not begin.
    #[error("NVIDIA's driver does not begin: {0}")]
    DriverFailed(String),
    /// The driver is too old for the kernels.
    #[error("NVIDIA's driver serves CUDA {}.{} at most, and {}.{} is needed", .0 / 1_000, .0 % 1_000 / 10, CUDA_NEEDED / 1_000, CUDA_NEEDED % 1_000 / 10)]
    DriverTooOld(u32),
    /// The driver shows no card to this process.
    #[error("NVIDIA's driver shows no card")]
    NoCard,
    /// A card is too old for the kernels.
    #[error("{name} has compute capability {}.{}, and {}.{} is needed", .capability / 10, .capability % 10, CAPABILITY_NEEDED / 10, CAPABILITY_NEEDED % 10)]
    CardTooOld {
        /// The card's name.
        name: String,
        /// Its compute capability in tenths.
        capability: u32,
    },
    /// A card does not take the kernels, or cannot be used.
    #[error("card {number} cannot be used: {reason}")]
    CardFailed {
        /// Number of the card as the driver counts.
        number: u32,
        /// What the driver says.
        reason: String,
    },
    /// The cards compute something else than the processor.
    #[error("the cards' results are wrong")]
    WrongResult,
}

impl CudaError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDriver => "cuda_no_driver",
            Self::DriverFailed(_) => "cuda_driver_failed",
            Self::DriverTooOld(_) => "cuda_driver_too_old",
            Self::NoCard => "cuda_no_card",
            Self::CardTooOld { .. } => "cuda_card_too_old",
            Self::CardFailed { .. } => "cuda_card_failed",
            Self::WrongResult => "cuda_wrong_result",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoDriver => "install NVIDIA's driver; in a container, start it with the cards (`--gpus all`), so that libcuda is mounted",
            Self::DriverFailed(_) => "see what `nvidia-smi` says, then reinstall the driver or restart",
            Self::DriverTooOld(_) => "install a driver of version 520 or newer, which serves CUDA 11.8",
            Self::NoCard => "see what `nvidia-smi` says, and that CUDA_VISIBLE_DEVICES does not hide the cards",
            Self::CardTooOld { .. } => "lend the card's machine without it, or with a card of the year 2017 or newer",
            Self::CardFailed { .. } => "end what else uses the card and see what `nvidia-smi` says; if that does not help, restart",
            Self::WrongResult => "take back any overclocking of card and memory, and look for memory errors with `nvidia-smi -q -d ECC`",
        }
    }
}
