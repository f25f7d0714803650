//! The published epochs, one file each. A file appears whole or not at all, and is never changed.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use ionet_epochs::{Closed, Published};

use crate::error::{HubError, HubResult};

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    dir: PathBuf,
}

impl Archive {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Where an epoch's file is, or will be.
    pub(crate) fn path(&self, epoch: u64) -> PathBuf {
        self.dir.join(format!("{epoch:08}.epoch"))
    }

    /// An epoch as it was published, replayed: what is returned follows from its inputs. `None` when it was not published.
    pub(crate) fn read(&self, epoch: u64) -> HubResult<Option<(Closed, [u8; 32])>> {
        let Some(published) = self.read_file(epoch)? else { return Ok(None) };
        let sha256 = published.sha256();
        Ok(Some((published.replay().map_err(HubError::internal)?, sha256)))
    }

    fn read_file(&self, epoch: u64) -> HubResult<Option<Published>> {
        match File::open(self.path(epoch)) {
            Ok(file) => ionet_epochs::read(&mut BufReader::new(file)).map(Some).map_err(HubError::internal),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(HubError::internal(error)),
        }
    }

    /// Publishes an epoch. Returns the file's SHA-256.
    pub(crate) fn write(&self, epoch: u64, closed: &Closed) -> HubResult<[u8; 32]> {
        self.write_file(&self.path(epoch), closed).map_err(HubError::internal)
    }

    fn write_file(&self, path: &Path, closed: &Closed) -> Result<[u8; 32], ionet_epochs::Error> {
        fs::create_dir_all(&self.dir)?;
        let partial = path.with_extension("partial");
        let mut writer = BufWriter::new(File::create(&partial)?);
        let sha256 = closed.write(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()?;
        drop(writer);
        fs::rename(&partial, path)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(sha256)
    }
}
