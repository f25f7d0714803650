//! Hardware challenges on the wire: a task of the hub, its questions, and the device's signed answers.
//!
//! One task is one job. The hub sends the [`Task`], which asks for the job's first [`Stage`]; the agent sends one [`Answer`] for each stage;
//! the hub asks for the next with an [`Ask`], whose nonce is fresh, until it has its verdict:
//!
//! | job | first stage | then |
//! |---|---|---|
//! | product | `commit`: root over all rows of the product | `open`: random rows with their paths |
//! | memory | `commit`: root over the filled memory | `scan`: one root for each pass over it; `open`: random blocks with what they were made of |
//! | clock | `commit`: the end of a chain of dependent steps | nothing, the hub walks it backwards |
//!
//! What the bytes mean and how they are checked is in the crate `ionet-proofs`; here are their shapes and bounds. Every answer fits in
//! one frame ([`super::MAX_FRAME_BYTES`]) when the task is within its bounds.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ProtocolError, at_most};

/// Most rows or blocks that a task may ask to open.
pub const MAX_OPENINGS: u16 = 64;
/// Shortest side of the product's square factor: a row is then one chunk of the hash.
pub const MIN_SIDE: u32 = 256;
/// Longest side of the product's square factor: up to here every sum is exact in 32-bit floating point, in any order.
pub const MAX_SIDE: u32 = 4_096;
/// Most rows of the tall factor.
pub const MAX_ROWS: u32 = 1 << 22;
/// Most values in the opened rows of one answer: 512 KiB, which base64 and the paths leave within one frame.
pub const MAX_OPENED_VALUES: u64 = 1 << 17;
/// Bytes of one memory block.
pub const BLOCK_BYTES: usize = 1_024;
/// Blocks that are hashed together; a lane is a multiple of it.
pub const GROUP_BLOCKS: u32 = 16;
/// Most lanes of a memory job.
pub const MAX_LANES: u32 = 1 << 16;
/// Most blocks of a memory job: 4 TiB.
pub const MAX_BLOCKS: u64 = 1 << 32;
/// Most rounds of the fill's permutation.
pub const MAX_ROUNDS: u16 = 1_024;
/// Most passes over the memory in one scan.
pub const MAX_PASSES: u16 = 256;
/// Most steps of a clock job: about half a minute of today's processors.
pub const MAX_CLOCK_STEPS: u32 = 1 << 26;
/// Most bytes of one direction of a timed transfer.
pub const MAX_TRANSFER_BYTES: u64 = 64 << 30;
/// Longest path in a tree, in hashes.
pub const MAX_PATH: usize = 40;
/// Most bytes in one opened part: a row of the longest side.
pub const MAX_PART_BYTES: usize = MAX_SIDE as usize * 4;

/// Exactly `N` bytes, base64 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const N: usize>(pub [u8; N]);

/// Names one task, chosen by the hub, never used again.
pub type TaskId = Fixed<16>;
/// Fresh random bytes of the hub.
pub type Nonce = Fixed<32>;
/// A hash: root of a tree, node of a path, digest of a stream.
pub type Digest = Fixed<32>;

/// At most `MAX` bytes, base64 on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob<const MAX: usize>(Vec<u8>);

/// A job for the device. Everything random in it follows from the task's nonce, the network, the device's key and the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// Epoch in which it is asked.
    pub epoch: u64,
    /// Fresh random bytes: nobody can begin before the task is sent.
    pub nonce: Nonce,
    /// What to do.
    pub job: Job,
}

/// What a task wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// A matrix product, for arithmetic speed.
    Product(ProductJob),
    /// Filled and scanned memory, for its size and bandwidth.
    Memory(MemoryJob),
    /// A chain of dependent steps, for the clock.
    Clock(ClockJob),
    /// A kind that this version does not know; the agent declines it.
    #[serde(other)]
    Unknown,
}

/// `rows x side` times `side x side`, in small integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductJob {
    /// Side of the square factor: a power of two in [`MIN_SIDE`]..=[`MAX_SIDE`].
    pub side: u32,
    /// Rows of the tall factor: a multiple of `side`, at most [`MAX_ROWS`].
    pub rows: u32,
    /// Rows to open; times `side` at most [`MAX_OPENED_VALUES`].
    pub openings: u16,
}

/// A buffer of `lanes * lane_blocks` blocks of [`BLOCK_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryJob {
    /// Parts that can be filled independently of each other.
    pub lanes: u32,
    /// Blocks of each lane, a multiple of [`GROUP_BLOCKS`].
    pub lane_blocks: u32,
    /// Rounds of the permutation that makes a block, a multiple of four: what makes filling slower than reading.
    pub rounds: u16,
    /// Passes over all of it in the scan.
    pub passes: u16,
    /// Blocks to open.
    pub openings: u16,
}

/// A chain of dependent steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJob {
    /// How many.
    pub steps: u32,
}

/// A part of a task that has an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Do the work and commit to its result.
    Commit,
    /// Read all of the memory again.
    Scan,
    /// Show random parts of what was committed to.
    Open,
    /// A stage that this version does not know; the agent declines it.
    #[serde(other)]
    Unknown,
}

/// The hub's next question of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Of which task.
    pub task_id: TaskId,
    /// What for.
    pub stage: Stage,
    /// Fresh random bytes: what is asked for follows from them, and nobody knew them before.
    pub nonce: Nonce,
}

/// The device's answer to one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Of which task.
    pub task_id: TaskId,
    /// To which stage.
    pub stage: Stage,
    /// What it says.
    pub body: AnswerBody,
    /// ed25519 by the device's key over network, device, task, stage, the stage's nonce and the body.
    pub signature: Fixed<64>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerBody {
    /// Root over the rows of the product, or over the filled memory.
    Committed {
        /// The root.
        root: Digest,
    },
    /// The end of the chain.
    Ended {
        /// Its last value, little-endian.
        state: Fixed<16>,
    },
    /// The memory was scanned.
    Scanned {
        /// One root for each pass, in order.
        roots: Vec<Digest>,
    },
    /// Rows of the product, in the order asked for.
    Rows {
        /// The rows: little-endian 32-bit integers.
        rows: Vec<Opened>,
    },
    /// Blocks of the memory, in the order asked for.
    Blocks {
        /// The blocks.
        blocks: Vec<OpenedBlock>,
    },
    /// The device does not (go on to) do this.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// Something that this version does not know; a hub takes it for a wrong answer.
    #[serde(other)]
    Unknown,
}

/// Why a device declines a task. Which reasons a hub accepts is the hub's matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The device was hired meanwhile, or its agent ends: the work was stopped.
    Stopped,
    /// The task wants more memory than the agent may use for it.
    TooLarge,
    /// The task is out of its bounds or of a kind that this version does not know.
    Unsupported,
    /// The question belongs to no stage that the task is in.
    OutOfTurn,
    /// The machine failed, such as memory that could not be had.
    Failed,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A part of what was committed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Its bytes.
    pub bytes: Blob<MAX_PART_BYTES>,
    /// The hashes beside the way to the root, from the part upwards, one after the other.
    pub path: Blob<{ MAX_PATH * 32 }>,
}

/// A block of the memory with what it was made of and what it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedBlock {
    /// The block.
    pub block: Opened,
    /// The block before it in its lane and the one that it refers to; nothing for the first of a lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<Box<[Opened; 2]>>,
    /// The part of the scan's results that has this block's, of the pass that was asked for.
    pub scanned: Opened,
}

/// Permission to move bytes to or from the hub, timed by the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferTicket {
    /// Its name, random, valid once.
    pub ticket: TaskId,
    /// Which way.
    pub direction: Direction,
    /// How many bytes, at most [`MAX_TRANSFER_BYTES`].
    pub bytes: u64,
    /// Where the bytes to send come from; nothing for what the device receives, which it must not know before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Nonce>,
}

/// Direction of a transfer as the device sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the hub to the device.
    Download,
    /// From the device to the hub.
    Upload,
}

/// What the device received in a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReport {
    /// Under which ticket.
    pub ticket: TaskId,
    /// Digest of the bytes.
    pub digest: Digest,
}

impl ProductJob {
    /// Bytes of the whole product, which the device keeps until rows are opened.
    pub const fn bytes(&self) -> u64 {
        self.rows as u64 * self.side as u64 * 4
    }

    /// Multiplications and additions of the whole product.
    pub const fn operations(&self) -> u64 {
        2 * self.rows as u64 * self.side as u64 * self.side as u64
    }

    fn check(&self) -> Result<(), ProtocolError> {
        let side = self.side;
        within("product.side", side.is_power_of_two() && (MIN_SIDE..=MAX_SIDE).contains(&side), || format!("{side}"))?;
        let rows = self.rows;
        within("product.rows", rows >= side && rows <= MAX_ROWS && rows.is_multiple_of(side), || format!("{rows}"))?;
        check_openings("product.openings", self.openings)?;
        let opened = u64::from(self.openings) * u64::from(side);
        within("product.openings", opened <= MAX_OPENED_VALUES, || format!("{opened} values are more than {MAX_OPENED_VALUES}"))
    }
}

impl MemoryJob {
    /// Blocks of all lanes.
    pub const fn blocks(&self) -> u64 {
        self.lanes as u64 * self.lane_blocks as u64
    }

    /// Bytes of the buffer, without the hashes that the device keeps beside it (1/256 of it).
    pub const fn bytes(&self) -> u64 {
        self.blocks() * BLOCK_BYTES as u64
    }

    fn check(&self) -> Result<(), ProtocolError> {
        within("memory.lanes", (1..=MAX_LANES).contains(&self.lanes), || format!("{}", self.lanes))?;
        let whole = self.lane_blocks > 0 && self.lane_blocks.is_multiple_of(GROUP_BLOCKS) && self.blocks() <= MAX_BLOCKS;
        within("memory.lane_blocks", whole, || format!("{}", self.lane_blocks))?;
        let rounds = (4..=MAX_ROUNDS).contains(&self.rounds) && self.rounds.is_multiple_of(4);
        within("memory.rounds", rounds, || format!("{}", self.rounds))?;
        within("memory.passes", (1..=MAX_PASSES).contains(&self.passes), || format!("{}", self.passes))?;
        check_openings("memory.openings", self.openings)
    }
}

impl Task {
    /// Checks every bound of the job. A kind that is not known passes: it is declined, not an offence.
    pub fn check(&self) -> Result<(), ProtocolError> {
        match &self.job {
            Job::Product(job) => job.check(),
            Job::Memory(job) => job.check(),
            Job::Clock(job) => within("clock.steps", (1..=MAX_CLOCK_STEPS).contains(&job.steps), || format!("{}", job.steps)),
            Job::Unknown => Ok(()),
        }
    }
}

impl Answer {
    /// Checks the bounds that the shapes alone do not hold.
    pub fn check(&self) -> Result<(), ProtocolError> {
        match &self.body {
            AnswerBody::Scanned { roots } => at_most("answer.roots", roots.len(), usize::from(MAX_PASSES)),
            AnswerBody::Rows { rows } => at_most("answer.rows", rows.len(), usize::from(MAX_OPENINGS)),
            AnswerBody::Blocks { blocks } => at_most("answer.blocks", blocks.len(), usize::from(MAX_OPENINGS)),
            AnswerBody::Committed { .. } | AnswerBody::Ended { .. } | AnswerBody::Declined { .. } | AnswerBody::Unknown => Ok(()),
        }
    }
}

impl TransferTicket {
    /// Checks its bounds.
    pub fn check(&self) -> Result<(), ProtocolError> {
        within("transfer.bytes", self.bytes <= MAX_TRANSFER_BYTES, || format!("{}", self.bytes))?;
        within("transfer.seed", self.seed.is_some() == (self.direction == Direction::Upload), || "an upload has one".to_owned())
    }
}

fn check_openings(field: &'static str, openings: u16) -> Result<(), ProtocolError> {
    within(field, (1..=MAX_OPENINGS).contains(&openings), || format!("{openings}"))
}

fn within(field: &'static str, ok: bool, what: impl FnOnce() -> String) -> Result<(), ProtocolError> {
    if ok { Ok(()) } else { Err(ProtocolError::OutOfBounds { field, bound: what() }) }
}

impl<const MAX: usize> Blob<MAX> {
    /// Wraps bytes; `None` if they are too many.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MAX).then_some(Self(bytes))
    }
}

impl<const MAX: usize> AsRef<[u8]> for Blob<MAX> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Blob<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl<const MAX: usize> Serialize for Blob<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Blob<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        Self::new(bytes).ok_or_else(|| de::Error::custom(format_args!("more than {MAX} bytes")))
    }
}

impl<const N: usize> fmt::Display for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl<const N: usize> fmt::Debug for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Decoded only when it can fit: a hostile text costs no more than its own length.
        if text.len() > N.div_ceil(3) * 4 {
            return Err(de::Error::custom(format_args!("not {N} bytes in base64")));
        }
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        bytes.try_into().map(Self).map_err(|_| de::Error::custom(format_args!("not {N} bytes in base64")))
    }
}

#[cfg(test)]
mod tests;
