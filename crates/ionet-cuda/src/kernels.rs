//! The kernels with their arguments: each function sees to it that the memory that it is given is as large as the kernel takes it for, which is
//! all that a kernel trusts in.

use bytemuck::{Pod, Zeroable};
use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::tree::{GROUP_BYTES, Node};
use ionet_proofs::{EngineError, Key};
use ionet_types::agent::challenge::{BLOCK_BYTES, ProductJob};

use crate::device::{Device, Kernel, Memory};

/// Rows and columns of the product that one block makes.
pub(crate) const TILE: u64 = 128;
/// Bytes of a node.
pub(crate) const NODE_BYTES: u64 = size_of::<Node>() as u64;
/// Bytes of a group.
pub(crate) const GROUP: u64 = GROUP_BYTES as u64;
/// Blocks whose sums one warp computes.
const BLOCKS_OF_WARP: u64 = 32;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct HashGroups {
    bytes: u64,
    nodes: u64,
    groups: u64,
    first_group: u64,
    key: Key,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct MergeNodes {
    below: u64,
    above: u64,
    nodes: u64,
    key: Key,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct BeginLanes {
    blocks: u64,
    keys: u64,
    lanes: u32,
    lane_blocks: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct FillLanes {
    blocks: u64,
    references: u64,
    lanes: u32,
    lane_blocks: u32,
    first_lane: u32,
    from: u32,
    until: u32,
    rounds: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct SumBlocks {
    memory: u64,
    weights: u64,
    sums: u64,
    blocks: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ReadFactor {
    entries: u64,
    first_row: u64,
    rows: u32,
    side: u32,
    key: Key,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Multiply {
    tall: u64,
    square: u64,
    product: u64,
    rows: u32,
    side: u32,
}

/// Asks for `threads` threads of a kernel; none are fine.
fn launch<D: Device>(device: &D, kernel: Kernel, threads: u64, arguments: &impl Pod) -> Result<(), EngineError> {
    let blocks = u32::try_from(threads.div_ceil(kernel.threads().into())).map_err(|_| EngineError::Failed)?;
    if blocks == 0 { Ok(()) } else { device.launch(kernel, blocks, bytemuck::bytes_of(arguments)) }
}

fn fits(fits: bool) -> Result<(), EngineError> {
    // A caller that miscounts must not reach the card's memory.
    if fits { Ok(()) } else { Err(EngineError::Failed) }
}

fn narrow(number: u64) -> Result<u32, EngineError> {
    u32::try_from(number).map_err(|_| EngineError::Failed)
}

/// One node for each group of `bytes`, which begins with group `first_group` of what is committed to.
pub(crate) fn hash_groups<D: Device>(bytes: &Memory<D>, nodes: &Memory<D>, first_group: u64, key: &Key) -> Result<(), EngineError> {
    let groups = bytes.bytes() / GROUP;
    fits(bytes.bytes() == groups * GROUP && nodes.bytes() == groups * NODE_BYTES)?;
    let arguments = HashGroups { bytes: bytes.address(), nodes: nodes.address(), groups, first_group, key: *key };
    // A thread for each chunk.
    launch(&**bytes.device(), Kernel::HashGroups, groups * 16, &arguments)
}

/// One node above for each two below.
pub(crate) fn merge_nodes<D: Device>(below: &Memory<D>, above: &Memory<D>, key: &Key) -> Result<(), EngineError> {
    let nodes = above.bytes() / NODE_BYTES;
    fits(above.bytes() == nodes * NODE_BYTES && below.bytes() == 2 * above.bytes())?;
    launch(&**below.device(), Kernel::MergeNodes, nodes, &MergeNodes { below: below.address(), above: above.address(), nodes, key: *key })
}

/// Writes the first block of each lane in `blocks`; `keys` has one for each of the lanes.
pub(crate) fn begin_lanes<D: Device>(blocks: &Memory<D>, keys: &Memory<D>, order: &MemoryOrder) -> Result<(), EngineError> {
    let lanes = lanes_in(blocks, order)?;
    fits(keys.bytes() == lanes * size_of::<Key>() as u64)?;
    let arguments =
        BeginLanes { blocks: blocks.address(), keys: keys.address(), lanes: narrow(lanes)?, lane_blocks: order.job.lane_blocks };
    launch(&**blocks.device(), Kernel::BeginLanes, lanes * 16, &arguments)
}

/// Makes the blocks at the places `from..until` of each lane in `blocks`, the first of which is lane `first_lane` of the job. All places
/// before are made.
pub(crate) fn fill_lanes<D: Device>(
    blocks: &Memory<D>,
    order: &MemoryOrder,
    first_lane: u32,
    from: u32,
    until: u32,
) -> Result<(), EngineError> {
    let lanes = lanes_in(blocks, order)?;
    fits(from >= 1 && until <= order.job.lane_blocks)?;
    let arguments = FillLanes {
        blocks: blocks.address(),
        references: order.references(),
        lanes: narrow(lanes)?,
        lane_blocks: order.job.lane_blocks,
        first_lane,
        from,
        until,
        rounds: order.job.rounds.into(),
    };
    // Sixteen threads for each lane.
    launch(&**blocks.device(), Kernel::FillLanes, lanes * 16, &arguments)
}

fn lanes_in<D: Device>(blocks: &Memory<D>, order: &MemoryOrder) -> Result<u64, EngineError> {
    let lane_bytes = u64::from(order.job.lane_blocks) * BLOCK_BYTES as u64;
    let lanes = blocks.bytes() / lane_bytes.max(1);
    fits(blocks.bytes() == lanes * lane_bytes)?;
    Ok(lanes)
}

/// The weighted sum of each block; their number is a multiple of four.
pub(crate) fn sum_blocks<D: Device>(blocks: &Memory<D>, weights: &Memory<D>, sums: &Memory<D>) -> Result<(), EngineError> {
    let count = blocks.bytes() / BLOCK_BYTES as u64;
    fits(
        count.is_multiple_of(4)
            && blocks.bytes() == count * BLOCK_BYTES as u64
            && sums.bytes() == count * 4
            && weights.bytes() == BLOCK_BYTES as u64,
    )?;
    let arguments = SumBlocks { memory: blocks.address(), weights: weights.address(), sums: sums.address(), blocks: count };
    launch(&**blocks.device(), Kernel::SumBlocks, count.div_ceil(BLOCKS_OF_WARP) * 32, &arguments)
}

/// Rows of the tall factor from `first_row` on, as many as `entries` holds.
pub(crate) fn read_rows<D: Device>(entries: &Memory<D>, first_row: u64, side: u32, key: &Key) -> Result<(), EngineError> {
    read_factor(Kernel::ReadRows, entries, first_row, side, key)
}

/// All of the square factor, column after column.
pub(crate) fn read_columns<D: Device>(entries: &Memory<D>, side: u32, key: &Key) -> Result<(), EngineError> {
    fits(entries.bytes() == u64::from(side) * u64::from(side))?;
    read_factor(Kernel::ReadColumns, entries, 0, side, key)
}

fn read_factor<D: Device>(kernel: Kernel, entries: &Memory<D>, first_row: u64, side: u32, key: &Key) -> Result<(), EngineError> {
    let (long, rows) = (u64::from(side), entries.bytes() / u64::from(side.max(1)));
    fits(long.is_multiple_of(TILE) && entries.bytes() == rows * long)?;
    let arguments = ReadFactor { entries: entries.address(), first_row, rows: narrow(rows)?, side, key: *key };
    // A thread for each 64 bytes of the stream, which are 128 entries.
    launch(&**entries.device(), kernel, rows * (long / 128), &arguments)
}

/// Rows of the product out of as many of the tall factor.
pub(crate) fn multiply<D: Device>(tall: &Memory<D>, square: &Memory<D>, product: &Memory<D>, job: &ProductJob) -> Result<(), EngineError> {
    let (long, rows) = (u64::from(job.side), tall.bytes() / u64::from(job.side.max(1)));
    fits(
        long.is_multiple_of(TILE)
            && rows.is_multiple_of(TILE)
            && tall.bytes() == rows * long
            && square.bytes() == long * long
            && product.bytes() == tall.bytes() * 4,
    )?;
    let arguments =
        Multiply { tall: tall.address(), square: square.address(), product: product.address(), rows: narrow(rows)?, side: job.side };
    // A block for each tile.
    let tiles = (rows / TILE) * (long / TILE);
    launch(&**tall.device(), Kernel::Multiply, tiles * u64::from(Kernel::Multiply.threads()), &arguments)
}
