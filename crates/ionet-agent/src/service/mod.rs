//! The agent as a service of the machine: started with it, started again when it fails, and its workloads left alone when it stops.
//!
//! What is written is rendered by pure functions ([`systemd_unit`], [`launchd_plist`]); [`Service`] puts it where the system looks.

mod install;
mod render;

use std::path::PathBuf;

pub use install::{Installed, Service, ServiceError, Status};
pub use render::{launchd_plist, systemd_unit};

/// The program that is to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Path of the binary.
    pub binary: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment that it is to have beside the system's: name and value.
    pub environment: Vec<(String, String)>,
}

impl Program {
    /// The command as it would be typed in a shell.
    pub fn command_line(&self) -> String {
        let words = std::iter::once(self.binary.display().to_string()).chain(self.arguments.iter().cloned());
        words.map(|word| shell_word(&word)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell reads it back.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
