//! Puts the agent where the system's service manager looks, takes it away, and asks how it is.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

use super::{Program, launchd_plist, systemd_unit};

/// Name of the systemd unit.
const UNIT: &str = "ionet-agent.service";
/// Label of the launchd service.
const LABEL: &str = "org.ionet.agent";

/// Why a service could not be installed or removed.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// There is no service manager that is known here.
    #[error("this machine has neither systemd nor launchd")]
    NoManager,
    /// A file cannot be written or removed.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The service manager said no.
    #[error("`{command}` failed: {said}")]
    Manager {
        /// What was asked of it.
        command: String,
        /// What it said.
        said: String,
    },
}

impl ServiceError {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoManager => "service_manager_missing",
            Self::File { .. } => "service_file_unusable",
            Self::Manager { .. } => "service_manager_refused",
        }
    }
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The file that describes the service.
    pub file: PathBuf,
    /// How to see its log.
    pub log_command: String,
    /// What is still to be done by hand, if anything.
    pub advice: Option<String>,
}

/// How the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is not installed.
    Absent,
    /// It is installed and does not run.
    Stopped,
    /// It runs.
    Running,
}

/// The service manager of this machine, for the machine or for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// systemd, for the whole machine.
    System,
    /// systemd, for this user.
    User {
        /// The user's unit folder.
        folder: PathBuf,
    },
    /// launchd, for this user.
    Launchd {
        /// The user's folder of services.
        folder: PathBuf,
        /// The user's number.
        uid: u32,
    },
}

impl Service {
    /// The service manager that runs here.
    pub fn find() -> Result<Self, ServiceError> {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        if cfg!(target_os = "macos") {
            let uid = nix::unistd::Uid::effective().as_raw();
            return home.map(|home| Self::Launchd { folder: home.join("Library/LaunchAgents"), uid }).ok_or(ServiceError::NoManager);
        }
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(ServiceError::NoManager);
        }
        if nix::unistd::Uid::effective().is_root() {
            return Ok(Self::System);
        }
        let config = std::env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let config = config.or_else(|| home.map(|home| home.join(".config"))).ok_or(ServiceError::NoManager)?;
        Ok(Self::User { folder: config.join("systemd/user") })
    }

    /// The file that describes the service.
    pub fn file(&self) -> PathBuf {
        match self {
            Self::System => Path::new("/etc/systemd/system").join(UNIT),
            Self::User { folder } => folder.join(UNIT),
            Self::Launchd { folder, .. } => folder.join(format!("{LABEL}.plist")),
        }
    }

    /// Installs the service and starts it; one that is there already is replaced and started anew.
    pub fn install(&self, program: &Program) -> Result<Installed, ServiceError> {
        self.install_with(program, &run)
    }

    /// Stops the service and takes it away; nothing happens when there is none. Workloads run on until their leases end.
    pub fn remove(&self) -> Result<(), ServiceError> {
        self.remove_with(&run)
    }

    /// How the service is.
    pub fn status(&self) -> Status {
        self.status_with(&run)
    }

    fn install_with(&self, program: &Program, run: Runner<'_>) -> Result<Installed, ServiceError> {
        let file = self.file();
        match self {
            Self::System | Self::User { .. } => {
                let system = *self == Self::System;
                write(&file, &systemd_unit(program, system))?;
                for arguments in [&["daemon-reload"][..], &["enable", UNIT], &["restart", UNIT]] {
                    self.systemctl(arguments, run)?;
                }
                let scope = if system { "" } else { "--user " };
                let advice = (!system).then(|| "`loginctl enable-linger` lets it run while you are not logged in".to_owned());
                Ok(Installed { file, log_command: format!("journalctl {scope}-u {UNIT} -f"), advice })
            }
            Self::Launchd { folder, uid } => {
                let log = folder.join("../Logs/ionet-agent.log").display().to_string();
                write(&file, &launchd_plist(program, LABEL, &log))?;
                let (domain, path) = (format!("gui/{uid}"), file.display().to_string());
                // It is an error to take away what is not there.
                drop(run(&["launchctl", "bootout", &format!("{domain}/{LABEL}")]));
                run(&["launchctl", "bootstrap", &domain, &path])?;
                Ok(Installed { file, log_command: format!("tail -f {log}"), advice: None })
            }
        }
    }

    fn remove_with(&self, run: Runner<'_>) -> Result<(), ServiceError> {
        let file = self.file();
        if !file.exists() {
            return Ok(());
        }
        match self {
            Self::System | Self::User { .. } => self.systemctl(&["disable", "--now", UNIT], run)?,
            // It may have been stopped by hand.
            Self::Launchd { uid, .. } => drop(run(&["launchctl", "bootout", &format!("gui/{uid}/{LABEL}")])),
        }
        fs::remove_file(&file).map_err(|source| ServiceError::File { path: file, source })?;
        match self {
            Self::System | Self::User { .. } => self.systemctl(&["daemon-reload"], run),
            Self::Launchd { .. } => Ok(()),
        }
    }

    fn status_with(&self, run: Runner<'_>) -> Status {
        let runs = match self {
            _ if !self.file().exists() => return Status::Absent,
            Self::System | Self::User { .. } => self.systemctl(&["is-active", "--quiet", UNIT], run).is_ok(),
            Self::Launchd { uid, .. } => run(&["launchctl", "print", &format!("gui/{uid}/{LABEL}")]).is_ok(),
        };
        if runs { Status::Running } else { Status::Stopped }
    }

    fn systemctl(&self, arguments: &[&str], run: Runner<'_>) -> Result<(), ServiceError> {
        let mut command = vec!["systemctl"];
        if *self != Self::System {
            command.push("--user");
        }
        command.extend(arguments);
        run(&command)
    }
}

/// Runs a command of the service manager.
type Runner<'a> = &'a dyn Fn(&[&str]) -> Result<(), ServiceError>;

fn run(command: &[&str]) -> Result<(), ServiceError> {
    let failed = |said: String| ServiceError::Manager { command: command.join(" "), said };
    let [program, arguments @ ..] = command else { return Err(failed("there is no command".to_owned())) };
    let output = Command::new(program).args(arguments).output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())) }
}

/// Writes a file whole, in a folder that is made if needed.
fn write(path: &Path, text: &str) -> Result<(), ServiceError> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let draft = path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(|source| ServiceError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn program() -> Program {
        Program { binary: "/usr/bin/ionet".into(), arguments: vec!["agent".to_owned(), "run".to_owned()], environment: Vec::new() }
    }

    #[test]
    fn a_user_service_is_written_started_and_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let service = Service::User { folder: dir.path().join("systemd/user") };
        let asked = RefCell::new(Vec::new());
        let run = |command: &[&str]| -> Result<(), ServiceError> {
            asked.borrow_mut().push(command.join(" "));
            Ok(())
        };
        assert_eq!(service.status_with(&run), Status::Absent);
        service.remove_with(&run).unwrap();
        assert!(asked.borrow().is_empty(), "nothing is there to be taken away");
        let installed = service.install_with(&program(), &run).unwrap();
        assert_eq!(fs::read_to_string(&installed.file).unwrap(), systemd_unit(&program(), false));
        assert!(installed.advice.is_some());
        assert_eq!(service.status_with(&run), Status::Running);
        service.remove_with(&run).unwrap();
        assert!(!installed.file.exists());
        let unit = "ionet-agent.service";
        assert_eq!(
            *asked.borrow(),
            [
                "systemctl --user daemon-reload".to_owned(),
                format!("systemctl --user enable {unit}"),
                format!("systemctl --user restart {unit}"),
                format!("systemctl --user is-active --quiet {unit}"),
                format!("systemctl --user disable --now {unit}"),
                "systemctl --user daemon-reload".to_owned(),
            ]
        );
    }

    #[test]
    fn a_manager_that_refuses_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let refuse = |command: &[&str]| -> Result<(), ServiceError> {
            Err(ServiceError::Manager { command: command.join(" "), said: "no bus".to_owned() })
        };
        let user = Service::User { folder: dir.path().to_owned() };
        assert_eq!(user.install_with(&program(), &refuse).unwrap_err().code(), "service_manager_refused");
        assert_eq!(user.status_with(&refuse), Status::Stopped);
        let launchd = Service::Launchd { folder: dir.path().join("LaunchAgents"), uid: 501 };
        assert!(launchd.install_with(&program(), &refuse).is_err());
        assert!(fs::read_to_string(launchd.file()).unwrap().contains("<string>/usr/bin/ionet</string>"));
        launchd.remove_with(&refuse).unwrap();
        assert_eq!(launchd.status_with(&refuse), Status::Absent);
        assert!(run(&["/nonexistent/program"]).is_err() && run(&["false"]).is_err());
        run(&["true"]).unwrap();
    }
}
