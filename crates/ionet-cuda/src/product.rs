//! The product on cards: each has the square factor and a share of the tall factor's rows, which it makes, multiplies and hashes strip by strip.

use std::ops::Range;
use std::sync::Arc;

use ionet_proofs::product::ProductOrder;
use ionet_proofs::{EngineError, ProductWork, Stop};
use ionet_types::agent::challenge::{Digest, Opened, ProductJob};

use crate::device::{Device, Memory, shares};
use crate::kernels::{self, GROUP, TILE};
use crate::pace::Pace;
use crate::spread::{Committed, Nodes, Part, read};

/// The product, and the commitment to it.
pub(crate) struct Kept<D: Device> {
    order: ProductOrder,
    parts: Vec<Part<D>>,
    committed: Committed<D>,
}

/// What one card works with.
struct Share<D: Device> {
    rows: Range<u64>,
    tall: Memory<D>,
    square: Memory<D>,
    part: Part<D>,
    nodes: Nodes<D>,
}

/// Rows that a card multiplies at once, a multiple of the tile and at most all.
fn strip_rows(job: &ProductJob, pace: Pace) -> u64 {
    let row = 2 * u64::from(job.side) * u64::from(job.side);
    (pace.operations / row / TILE * TILE).clamp(TILE, job.rows.into())
}

/// Bytes that one card needs besides the values and their nodes.
pub(crate) fn factor_bytes(job: &ProductJob, pace: Pace) -> u64 {
    (strip_rows(job, pace) + u64::from(job.side)) * u64::from(job.side)
}

impl<D: Device> Kept<D> {
    pub(crate) fn compute(order: &ProductOrder, cards: &[Arc<D>], pace: Pace, stop: &Stop) -> Result<Self, EngineError> {
        let (side, strip) = (u64::from(order.job.side), strip_rows(&order.job, pace));
        let speeds: Vec<u64> = cards.iter().map(|card| card.speed()).collect();
        let tiles = shares(u64::from(order.job.rows) / TILE, &speeds);
        let begun = cards.iter().zip(tiles).filter(|(_, tiles)| !tiles.is_empty());
        let shares = begun
            .map(|(card, tiles)| Share::begin(card, order, tiles.start * TILE..tiles.end * TILE, strip))
            .collect::<Result<Vec<_>, _>>()?;
        let longest = shares.iter().map(|share| share.rows.end - share.rows.start).max().unwrap_or(0);
        for done in (0..longest).step_by(strip as usize) {
            if stop.is_stopped() {
                return Err(EngineError::Stopped);
            }
            // All cards work at once; then all are waited for.
            for share in &shares {
                share.strip(order, side, share.rows.start + done..(share.rows.start + done + strip).min(share.rows.end))?;
            }
            shares.iter().try_for_each(|share| share.tall.device().wait())?;
        }
        let (parts, nodes): (Vec<_>, Vec<_>) = shares.into_iter().map(|share| (share.part, share.nodes)).unzip();
        let committed = Committed::new(order.tree_key(), order.shape(), &parts, nodes)?;
        Ok(Self { order: *order, parts, committed })
    }
}

impl<D: Device> Share<D> {
    /// Takes the memory for these rows and makes the square factor.
    fn begin(card: &Arc<D>, order: &ProductOrder, rows: Range<u64>, strip: u64) -> Result<Self, EngineError> {
        let side = u64::from(order.job.side);
        let row_bytes = side * 4;
        let memory = Memory::new(card, (rows.end - rows.start) * row_bytes)?;
        let part = Part { start: rows.start * row_bytes, memory };
        let nodes = Nodes::new(order.shape(), &part, Memory::new(card, Nodes::bytes(&part))?);
        let tall = Memory::new(card, strip.min(rows.end - rows.start) * side)?;
        let square = Memory::new(card, side * side)?;
        kernels::read_columns(&square, order.job.side, order.b_key())?;
        Ok(Self { rows, tall, square, part, nodes })
    }

    /// Asks for these rows, if there are any, and for their hashes.
    fn strip(&self, order: &ProductOrder, side: u64, rows: Range<u64>) -> Result<(), EngineError> {
        if rows.is_empty() {
            return Ok(());
        }
        let row_bytes = side * 4;
        let tall = self.tall.part(0..(rows.end - rows.start) * side)?;
        kernels::read_rows(&tall, rows.start, order.job.side, order.a_key())?;
        let bytes = rows.start * row_bytes..rows.end * row_bytes;
        let values = self.part.memory.part(bytes.start - self.part.start..bytes.end - self.part.start)?;
        kernels::multiply(&tall, &self.square, &values, &order.job)?;
        // A tile of the shortest rows is eight groups.
        self.nodes.hash(&self.part, bytes.start / GROUP..bytes.end / GROUP, order.tree_key())
    }
}

impl<D: Device> ProductWork for Kept<D> {
    fn root(&self) -> Digest {
        self.committed.root()
    }

    fn open(&self, rows: &[u64]) -> Result<Vec<Opened>, EngineError> {
        let row_bytes = u64::from(self.order.job.side) * 4;
        let open = |row: &u64| {
            let start = row * row_bytes / GROUP * GROUP;
            self.committed.open(*row, &read(&self.parts, start..start + GROUP)?)
        };
        rows.iter().map(open).collect()
    }
}
