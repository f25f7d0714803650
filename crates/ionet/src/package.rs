//! Packs what a job needs into one zip, the same bytes for the same files: its name is its hash, so it travels once.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::exit::{Exit, Failure};

/// Largest package, bytes: what Ray's package store takes at most by default.
pub const MAX_PACKAGE_BYTES: u64 = 100 << 20;
/// Most files in a package.
pub const MAX_FILES: usize = 10_000;
/// Folders that never travel: they are made, not written.
const LEFT_OUT: [&str; 6] = [".git", "__pycache__", ".venv", "node_modules", "target", ".mypy_cache"];

/// A packed working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name in Ray's package store: from the content's hash.
    pub name: String,
    /// The zip.
    pub bytes: Vec<u8>,
    /// Names of the files in it, sorted.
    pub files: Vec<String>,
}

impl Package {
    /// How a job's runtime environment names it.
    pub fn uri(&self) -> String {
        format!("gcs://{}", self.name)
    }

    /// Packs one script, or the whole directory `working_dir` that it lies in. Returns the script's name inside the package as well.
    pub fn of_script(script: &Path, working_dir: Option<&Path>) -> Result<(Self, String)> {
        let file =
            script.canonicalize().ok().filter(|file| file.is_file()).ok_or_else(|| {
                Failure::new(format!("there is no script {}", script.display())).hint("name a Python file").exit(Exit::Usage)
            })?;
        let Some(working_dir) = working_dir else {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).context("a file has a name")?;
            return Ok((Self::pack(vec![(name.clone(), file)])?, name));
        };
        let root = working_dir.canonicalize().ok().filter(|dir| dir.is_dir()).ok_or_else(|| {
            Failure::new(format!("there is no directory {}", working_dir.display()))
                .hint("name the directory that the job needs")
                .exit(Exit::Usage)
        })?;
        let name = entry_name(&root, &file).ok_or_else(|| {
            Failure::new(format!("{} is not inside {}", script.display(), working_dir.display()))
                .hint("--working-dir must hold the script")
                .exit(Exit::Usage)
        })?;
        let mut files = Vec::new();
        collect(&root, &root, &mut files)?;
        Ok((Self::pack(files)?, name))
    }

    fn pack(mut files: Vec<(String, PathBuf)>) -> Result<Self> {
        files.sort();
        // No times and one fixed mode: nothing but names and content decides the bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o755);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let mut read_bytes = 0;
        for (name, path) in &files {
            let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            read_bytes += content.len() as u64;
            if read_bytes > MAX_PACKAGE_BYTES {
                return Err(Failure::new(format!("the job's files are larger than {} MiB", MAX_PACKAGE_BYTES >> 20))
                    .hint("leave data out of --working-dir and fetch it in the job")
                    .exit(Exit::Usage)
                    .into());
            }
            zip.start_file(name.as_str(), options)?;
            zip.write_all(&content)?;
        }
        let bytes = zip.finish()?.into_inner();
        let name = format!("_ray_pkg_{}.zip", &hex::encode(Sha256::digest(&bytes))[..32]);
        Ok(Self { name, bytes, files: files.into_iter().map(|(name, _)| name).collect() })
    }
}

/// Name of a file in the package: relative, with slashes.
fn entry_name(root: &Path, file: &Path) -> Option<String> {
    let relative = file.strip_prefix(root).ok()?;
    let parts: Vec<String> = relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    Some(parts.join("/"))
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() {
            if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                collect(root, &path, files)?;
            }
        } else if kind.is_file() {
            // Links and sockets stay: what they point to might lie outside of what the user named.
            files.extend(entry_name(root, &path).map(|name| (name, path)));
            if files.len() > MAX_FILES {
                return Err(Failure::new(format!("{} holds more than {MAX_FILES} files", root.display()))
                    .hint("name a smaller --working-dir")
                    .exit(Exit::Usage)
                    .into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_same_files_make_the_same_package_whenever_they_were_written() {
        let packages: Vec<_> = [1_000_000_000, 1_500_000_000]
            .into_iter()
            .map(|secs| {
                let dir = tempfile::tempdir().unwrap();
                fs::create_dir_all(dir.path().join("lib/__pycache__")).unwrap();
                for name in ["job.py", "lib/b.py", "lib/a.py", "lib/__pycache__/a.pyc"] {
                    let path = dir.path().join(name);
                    fs::write(&path, name).unwrap();
                    fs::File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(secs)).unwrap();
                }
                Package::of_script(&dir.path().join("job.py"), Some(dir.path())).unwrap()
            })
            .collect();
        assert_eq!(packages[0], packages[1]);
        let (package, script) = &packages[0];
        assert_eq!(package.files, ["job.py", "lib/a.py", "lib/b.py"]);
        assert_eq!(script, "job.py");
        let mut read = zip::ZipArchive::new(Cursor::new(&package.bytes)).unwrap();
        assert_eq!(std::io::read_to_string(read.by_name("lib/b.py").unwrap()).unwrap(), "lib/b.py");
    }

    #[test]
    fn a_script_alone_travels_alone_and_content_decides_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("job.py");
        fs::write(dir.path().join("secret.txt"), "not asked for").unwrap();
        fs::write(&script, "print(1)").unwrap();
        let (first, name) = Package::of_script(&script, None).unwrap();
        assert_eq!((first.files.as_slice(), name.as_str()), (["job.py".to_owned()].as_slice(), "job.py"));
        fs::write(&script, "print(2)").unwrap();
        assert_ne!(first.name, Package::of_script(&script, None).unwrap().0.name);
    }

    #[test]
    fn what_is_not_there_is_a_usage_error() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let script = dir.path().join("job.py");
        let missing = Package::of_script(&script, None).unwrap_err();
        assert_eq!(crate::exit::exit_of(&missing), Exit::Usage);
        fs::write(&script, "").unwrap();
        let outside = Package::of_script(&script, Some(other.path())).unwrap_err();
        assert_eq!(crate::exit::exit_of(&outside), Exit::Usage);
    }
}
