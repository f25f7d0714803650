//! Writing an epoch's file. It has one form only (docs/EPOCHS.md): eight bytes that name the format, the header's length and the header,
//! then the sections devices, tests, lines and totals, each a run of records, and the SHA-256 of all before it.

use std::io::Write;

use bytemuck::{NoUninit, cast_slice};
use ionet_abi::merkle::Hash;
use sha2::{Digest, Sha256};

use crate::close::Closed;
use crate::header::{Contents, Header};
use crate::{Error, Result};

/// How every epoch file begins.
pub const MAGIC: [u8; 8] = *b"IONETEP1";
/// Longest header, bytes.
pub(crate) const MAX_HEADER_BYTES: usize = 1 << 20;
/// How much is hashed and written at once.
const PIECE: usize = 1 << 20;

/// Hashes what passes.
struct Hashing<'a, W> {
    to: &'a mut W,
    hash: Sha256,
}

impl<W: Write> Hashing<'_, W> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        // In pieces, so that what is written is still in the processor's cache from being hashed.
        for piece in bytes.chunks(PIECE) {
            self.hash.update(piece);
            self.to.write_all(piece)?;
        }
        Ok(())
    }

    fn records<T: NoUninit>(&mut self, records: &[T]) -> Result<()> {
        self.bytes(cast_slice(records))
    }
}

impl Closed {
    pub(crate) fn header(&self) -> Header {
        let inputs = &self.inputs;
        Header::new(&Contents {
            epoch: &inputs.epoch,
            models: &inputs.models,
            sums: &self.allocation.sums,
            roots: (self.previous_root, self.root()),
            rows: (inputs.devices.len(), inputs.tests.len(), self.totals.records().len()),
            lifetime: (self.totals.io(), self.totals.usdc(), self.totals.work_io()),
        })
    }

    /// Writes the epoch's file and returns the SHA-256 of all of it, as `sha256sum` prints it and as verifiers state it on chain.
    pub fn write(&self, to: &mut impl Write) -> Result<Hash> {
        let header = self.header().to_bytes()?;
        if header.len() > MAX_HEADER_BYTES {
            return Err(Error::TooMany { what: "bytes of header", most: MAX_HEADER_BYTES });
        }
        let length = u32::try_from(header.len()).map_err(|_| Error::TooMany { what: "bytes of header", most: MAX_HEADER_BYTES })?;
        let mut out = Hashing { to, hash: Sha256::new() };
        out.bytes(&MAGIC)?;
        out.bytes(&length.to_le_bytes())?;
        out.bytes(&header)?;
        out.records(&self.inputs.devices)?;
        out.records(&self.inputs.tests)?;
        out.records(&self.allocation.lines)?;
        out.records(self.totals.records())?;
        let so_far: Hash = out.hash.clone().finalize().into();
        out.bytes(&so_far)?;
        let Hashing { to, hash } = out;
        to.flush()?;
        Ok(hash.finalize().into())
    }
}
