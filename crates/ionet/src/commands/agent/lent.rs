//! What was chosen when this machine joined, kept in the agent's directory for the service and the doctor.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use ionet_agent::AgentOptions;
use ionet_agent::service::Program;
use ionet_types::market::Location;
use serde::{Deserialize, Serialize};

use super::OfferArgs;
use crate::exit::{Exit, Failure};

/// Name of the file.
const FILE: &str = "lent.json";

/// To whom this machine is lent, and what of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lent {
    pub(super) hub: Option<String>,
    pub(super) label: Option<String>,
    #[serde(flatten)]
    pub(super) location: Location,
    #[serde(default)]
    pub(super) shared: bool,
    pub(super) cpus: Option<u32>,
    pub(super) memory_mb: Option<u64>,
    pub(super) node_ip: Option<IpAddr>,
}

impl Lent {
    /// What was kept, with what is chosen now before it.
    pub(super) fn of(dir: &Path, hub: Option<String>, offer: OfferArgs) -> Result<Self> {
        let kept = Self::read(dir)?;
        Ok(Self {
            hub: hub.or(kept.hub),
            label: offer.label.or(kept.label),
            location: Location { country: offer.country.or(kept.location.country), site: offer.site.or(kept.location.site) },
            shared: offer.share.unwrap_or(kept.shared),
            cpus: offer.cpus.or(kept.cpus),
            memory_mb: offer.memory_mb.or(kept.memory_mb),
            node_ip: offer.node_ip.or(kept.node_ip),
        })
    }

    /// What was kept; nothing was where there is no file.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Keeps it.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        make(dir)?;
        let (path, fresh) = (dir.join(FILE), dir.join("lent.json.new"));
        let bytes = serde_json::to_vec_pretty(self)?;
        fs::write(&fresh, bytes).and_then(|()| fs::rename(&fresh, &path)).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The hub that was named, now or before.
    pub(super) fn hub(&self) -> Result<String> {
        let unnamed = || Failure::new("no hub was named").hint("name it with --hub URL, or join one with `ionet agent join --hub URL`");
        Ok(self.hub.clone().ok_or_else(|| unnamed().exit(Exit::Usage))?)
    }

    /// Options of an agent that lends this.
    pub(super) fn options(&self, dir: &Path) -> Result<AgentOptions> {
        Ok(AgentOptions {
            label: self.label.clone(),
            location: self.location.clone(),
            shared: self.shared,
            cpus: self.cpus,
            memory_mb: self.memory_mb,
            node_ip: self.node_ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            ..AgentOptions::new(dir, self.hub()?)
        })
    }
}

/// Makes the agent's directory, for this user only.
pub(super) fn make(dir: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// What the service is to run: everything else is in the agent's directory.
pub(super) fn program(dir: &Path, home: &Path) -> Result<Program> {
    let binary = std::env::current_exe().context("cannot find this program's own file")?;
    let dir = dir.canonicalize().with_context(|| format!("cannot use {}", dir.display()))?;
    let arguments = ["agent", "run", "--dir"].map(str::to_owned).into_iter();
    let arguments = arguments.chain([home.display().to_string(), "--agent-dir".to_owned(), dir.display().to_string()]);
    let environment =
        ["PATH", "IONET_CACHE_DIR", "DOCKER_HOST"].into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    Ok(Program { binary, arguments: arguments.collect(), environment: environment.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_kept_until_it_is_chosen_anew() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("agents/lent");
        let none = OfferArgs { label: None, country: None, site: None, share: None, cpus: None, memory_mb: None, node_ip: None };
        assert!(Lent::of(&dir, None, none.clone()).unwrap().hub().is_err());
        let offer = OfferArgs { label: Some("garage".to_owned()), cpus: Some(2), share: Some(true), ..none.clone() };
        Lent::of(&dir, Some("https://a".to_owned()), offer).unwrap().write(&dir).unwrap();
        let again = Lent::of(&dir, None, OfferArgs { cpus: Some(4), ..none.clone() }).unwrap();
        assert!(again.options(&dir).unwrap().shared && !Lent::of(&dir, None, OfferArgs { share: Some(false), ..none }).unwrap().shared);
        assert_eq!((again.hub().unwrap().as_str(), again.label.as_deref(), again.cpus), ("https://a", Some("garage"), Some(4)));
        let program = program(&dir, Path::new("/data")).unwrap();
        assert_eq!(program.arguments[..4], ["agent", "run", "--dir", "/data"].map(str::to_owned));
        fs::write(dir.join(FILE), "{").unwrap();
        assert!(Lent::read(&dir).is_err());
    }
}
