//! A published epoch and its replay: whoever has the file recomputes every line, every total and the root, and learns where they differ.

use bytemuck::bytes_of;
use ionet_abi::merkle::Hash;
use ionet_rules::epochs::Statement;
use ionet_rules::layout::{Shape, StructLayout};
use ionet_rules::rewards::Pots;

use crate::allocate::{Allocation, allocate};
use crate::close::Closed;
use crate::header::Header;
use crate::inputs::Inputs;
use crate::records::LineRecord;
use crate::totals::{self, Totals};
use crate::{Error, Result, base58};

/// An epoch's file as it was read: intact, but not yet believed.
#[derive(Clone, Debug)]
pub struct Published {
    pub(crate) header: Header,
    pub(crate) inputs: Inputs,
    pub(crate) lines: Vec<LineRecord>,
    pub(crate) totals: Totals,
    pub(crate) sha256: Hash,
}

impl Published {
    /// SHA-256 of the whole file.
    pub const fn sha256(&self) -> Hash {
        self.sha256
    }

    /// The inputs that it says the epoch was decided from.
    pub const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Recomputes the whole epoch from its inputs. The first difference between file and replay is the error; what comes back is the
    /// epoch as the file says it, root included.
    pub fn replay(self) -> Result<Closed> {
        let Self { header, inputs, lines, totals, sha256: _ } = self;
        let replayed = allocate(&inputs)?;
        if let Some(place) = (0..lines.len()).find(|place| lines[*place] != replayed.lines[*place]) {
            let device = base58(&inputs.devices[place].key);
            let (field, in_file, replayed) = first_difference(&lines[place], &replayed.lines[place]);
            return Err(Error::differs(format!("line of device {device}, {field}"), &in_file, &replayed));
        }
        let allocation = Allocation { lines, sums: replayed.sums };
        let earned = totals::earned(&inputs, &allocation)?;
        let previous_root = totals.minus(&earned, allocation.sums.work_io)?.root();
        drop(earned);
        let closed = Closed { inputs, allocation, totals, previous_root };
        compare_headers(&header, &closed.header())?;
        Ok(closed)
    }

    /// Replays and compares with what verifiers state on chain: the file itself, its root and its sums.
    pub fn replay_against(self, statement: &Statement) -> Result<Closed> {
        let sha256 = self.sha256;
        if sha256 != statement.file {
            return Err(Error::differs("SHA-256 of the file against the chain", &hex::encode(sha256), &hex::encode(statement.file)));
        }
        let closed = self.replay()?;
        let replayed = closed.statement(sha256);
        if replayed != *statement {
            return Err(Error::differs("statement on chain", &format!("{statement:?}"), &format!("{replayed:?}")));
        }
        Ok(closed)
    }
}

impl Closed {
    /// Whether this epoch goes on exactly where another ended: number, root, what the pots carried over and all work so far.
    /// `None` is the beginning of the network.
    pub fn follows(&self, previous: Option<&Self>) -> Result<()> {
        let (number, root, carry, work) = previous.map_or((0, Hash::default(), Pots::EMPTY, 0), |previous| {
            (previous.inputs.epoch.number, previous.root(), previous.allocation.sums.carry_out, previous.totals.work_io().0)
        });
        let epoch = &self.inputs.epoch;
        if number.checked_add(1) != Some(epoch.number) {
            return Err(Error::differs("number of the epoch", &epoch.number, &number.saturating_add(1)));
        }
        if self.previous_root != root {
            return Err(Error::differs("previous root", &hex::encode(self.previous_root), &hex::encode(root)));
        }
        if epoch.carry_in != carry {
            return Err(Error::differs("carry in", &format!("{:?}", epoch.carry_in), &format!("{carry:?}")));
        }
        let work_before = self.totals.work_io().0.checked_sub(self.allocation.sums.work_io.0);
        if work_before != Some(work) {
            return Err(Error::differs("lifetime work in IO before the epoch", &format!("{work_before:?}"), &work));
        }
        Ok(())
    }
}

/// Name and both values of the first field in which two records differ.
fn first_difference(in_file: &LineRecord, replayed: &LineRecord) -> (&'static str, u64, u64) {
    let (one, other) = (bytes_of(in_file), bytes_of(replayed));
    let mut from = 0;
    for field in LineRecord::STRUCT.fields {
        let to = from + bytes_in(field.shape);
        if one[from..to] != other[from..to] {
            return (field.name, number(&one[from..to]), number(&other[from..to]));
        }
        from = to;
    }
    ("nothing", 0, 0)
}

/// The little-endian number in these bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn bytes_in(shape: &Shape) -> usize {
    match shape {
        Shape::U8 => 1,
        Shape::U16 => 2,
        Shape::U32 => 4,
        Shape::U64 | Shape::I64 => 8,
        Shape::Array(item, count) => bytes_in(item) * count,
        Shape::Struct(of) => of.fields.iter().map(|field| bytes_in(field.shape)).sum(),
    }
}

fn compare_headers(in_file: &Header, replayed: &Header) -> Result<()> {
    if in_file == replayed {
        return Ok(());
    }
    let json = |header: &Header| serde_json::to_value(header).map_err(|error| Error::Malformed(error.to_string()));
    let (one, other) = (json(in_file)?, json(replayed)?);
    let fields = one.as_object().into_iter().flatten();
    for (name, value) in fields {
        if other.get(name) != Some(value) {
            return Err(Error::differs(format!("header, {name}"), value, other.get(name).unwrap_or(&serde_json::Value::Null)));
        }
    }
    Err(Error::differs("header", &one, &other))
}
