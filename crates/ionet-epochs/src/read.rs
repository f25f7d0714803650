//! Reading an epoch's file from anybody. Every byte is hostile: lengths and counts are bounded before they are believed, memory grows only with
//! bytes that came, every record is checked, and nothing may be left over.

use std::io::Read;

use bytemuck::{AnyBitPattern, NoUninit, Zeroable, cast_slice_mut};
use ionet_abi::merkle::Hash;
use ionet_rules::money::Io;
use sha2::{Digest, Sha256};

use crate::file::{MAGIC, MAX_HEADER_BYTES};
use crate::header::Header;
use crate::inputs::{Inputs, MAX_DEVICES, MAX_TESTS};
use crate::records::{LineRecord, Total};
use crate::replay::Published;
use crate::totals::Totals;
use crate::{Error, Result};

/// Most totals of a file: everybody who has ever earned.
const MAX_TOTALS: usize = 1 << 26;
/// How many records are taken in before room is made for more.
const PIECE: usize = 1 << 14;

struct Hashing<'a, R> {
    from: &'a mut R,
    hash: Sha256,
}

impl<R: Read> Hashing<'_, R> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::Malformed("it ends too early".to_owned()),
            _ => Error::Read(error),
        })?;
        self.hash.update(&*bytes);
        Ok(())
    }

    fn records<T: AnyBitPattern + NoUninit + Zeroable>(&mut self, count: u64, most: usize, what: &'static str) -> Result<Vec<T>> {
        let count = usize::try_from(count).ok().filter(|count| *count <= most).ok_or(Error::TooMany { what, most })?;
        let mut records = Vec::new();
        while records.len() < count {
            let from = records.len();
            records.resize(count.min(from + PIECE), T::zeroed());
            self.fill(cast_slice_mut(&mut records[from..]))?;
        }
        Ok(records)
    }
}

/// Reads a file as [`crate::Closed::write`] writes it. What it says is not believed before [`Published::replay`].
pub fn read(from: &mut impl Read) -> Result<Published> {
    let malformed = |what: &str| Error::Malformed(what.to_owned());
    let mut file = Hashing { from, hash: Sha256::new() };
    let mut magic = [0; MAGIC.len()];
    file.fill(&mut magic)?;
    if magic != MAGIC {
        return Err(malformed("it begins like another file"));
    }
    let mut length = [0; 4];
    file.fill(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).ok().filter(|length| *length <= MAX_HEADER_BYTES);
    let mut header = vec![0; length.ok_or_else(|| malformed("its header is too long"))?];
    file.fill(&mut header)?;
    let header = Header::from_bytes(&header)?;

    let devices = file.records(header.devices, MAX_DEVICES, "devices")?;
    let tests = file.records(header.tests, MAX_TESTS, "tests")?;
    let lines: Vec<LineRecord> = file.records(header.devices, MAX_DEVICES, "lines")?;
    let totals: Vec<Total> = file.records(header.totals, MAX_TOTALS, "totals")?;
    let expected: Hash = file.hash.clone().finalize().into();
    let mut found = Hash::default();
    file.fill(&mut found)?;
    if found != expected {
        return Err(malformed("its checksum is not that of its contents"));
    }
    let sha256 = file.hash.finalize().into();
    if from.read(&mut [0])? != 0 {
        return Err(malformed("something follows its end"));
    }

    let inputs = Inputs::checked(header.epoch(), header.models(), devices, tests)?;
    let totals = Totals::new(totals, Io(header.lifetime_work_io.0))?;
    Ok(Published { header, inputs, lines, totals, sha256 })
}
