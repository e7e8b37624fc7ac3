//! `--suricata`: alerts of Suricata, from an eve.json (`--suricata=FILE`) or by running the engine that is installed.
//!
//! The engine gets a copy of the frames of the run in a private folder, no shell, and a limit of time. It never fetches rules.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pcapper_queries::catalog::{Catalog, Selected};
use pcapper_queries::suricata::{Loaded, Wanted};

use crate::arguments::Given;
use crate::evidence::Frames;
use crate::export::file::Files;
use crate::render;
use crate::select::complain;

/// The option that holds the file of `--suricata=FILE`.
pub const EVE: &str = "suricata-eve";
/// Name of the analyzer, and of its parameters.
const NAME: &str = "suricata";
/// Longest run of the engine on one capture, in seconds, unless `suricata.seconds` says otherwise.
const SECONDS: u64 = 600;
/// How often the engine is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(20);
/// Most bytes of the engine's complaints that are read.
const COMPLAINT: u64 = 1 << 16;

/// Where alerts come from.
pub enum Source {
    File(Box<Loaded>),
    Engine(Box<Engine>),
}

/// A Suricata on this machine.
pub struct Engine {
    program: PathBuf,
    version: String,
    /// Its configuration file; `None` for the one that it is built with.
    config: Option<PathBuf>,
    /// The only rules that it is to use; `None` for those of the configuration.
    rules: Option<PathBuf>,
    limit: Duration,
    wanted: Wanted,
    /// What it said of the captures so far: reports and exports may ask twice.
    done: Mutex<HashMap<PathBuf, Loaded>>,
}

/// What `--set suricata.NAME=VALUE` gives.
#[derive(Default)]
struct Parameters {
    wanted: Wanted,
    config: Option<PathBuf>,
    rules: Option<PathBuf>,
    seconds: Option<u64>,
}

/// Whether a parameter is one of ours, not of a plugin.
pub fn owns(parameter: &str) -> bool {
    parameter.strip_prefix(NAME).is_some_and(|rest| rest.starts_with('.'))
}

/// Where the alerts of a run come from; `None` where nobody asked.
pub fn options(given: &Given) -> Result<Option<Source>, String> {
    let set: Vec<String> = given.texts("set").into_iter().filter(|pair| owns(pair)).collect();
    if !given.switch(NAME) {
        return set.first().map_or(Ok(None), |pair| Err(format!("--set {pair} needs --suricata")));
    }
    let parameters = parameters(&set)?;
    let Some(eve) = given.text(EVE) else { return Engine::find(parameters).map(|engine| Some(Source::Engine(Box::new(engine)))) };
    if parameters.config.is_some() || parameters.rules.is_some() || parameters.seconds.is_some() {
        return Err("--set suricata.config, suricata.rules and suricata.seconds are about a run of Suricata; --suricata=FILE reads a file".to_owned());
    }
    let mut loaded = Loaded::default();
    loaded.read(Path::new(eve), None, &parameters.wanted)?;
    tell(&loaded);
    Ok(Some(Source::File(Box::new(loaded))))
}

fn parameters(set: &[String]) -> Result<Parameters, String> {
    let mut parameters = Parameters::default();
    for pair in set {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("--set {pair}: NAME=VALUE is needed"))?;
        let list = || value.split(',').map(str::trim).filter(|word| !word.is_empty());
        let sids = || -> Result<BTreeSet<u64>, String> {
            list().map(|sid| sid.parse().map_err(|_| format!("--set {pair}: {sid} is no signature id"))).collect()
        };
        match &name[NAME.len() + 1..] {
            "config" => parameters.config = Some(value.into()),
            "rules" => parameters.rules = Some(value.into()),
            "events" => parameters.wanted.events = Some(list().map(str::to_owned).collect()),
            "sids" => parameters.wanted.sids = Some(sids()?),
            "without" => parameters.wanted.without = sids()?,
            "seconds" => {
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                parameters.seconds = Some(seconds.ok_or_else(|| format!("--set {pair}: a number of seconds is needed"))?);
            }
            _ => return Err(format!("--set {pair}: --suricata has config, rules, events, sids, without, seconds")),
        }
    }
    Ok(parameters)
}

/// Tells what of a file could not be used.
fn tell(loaded: &Loaded) {
    for fault in &loaded.faults {
        complain(&format!("--suricata: not understood: {fault}"));
    }
    let more = loaded.faulty.saturating_sub(loaded.faults.len() as u64);
    if more > 0 {
        complain(&format!("--suricata: not understood: {more} more lines"));
    }
    if loaded.left_out > 0 {
        complain(&format!("--suricata: {} alerts beyond those that are kept were left out", loaded.left_out));
    }
}

impl Source {
    /// Makes the alerts known to a catalog; the engine runs now if it did not yet.
    pub fn bring(&self, catalog: &Catalog) -> Result<(), String> {
        let told = |error| render::sql::one_line(&error);
        match self {
            Self::File(loaded) => loaded.bring(catalog).map_err(told),
            Self::Engine(engine) => {
                let mut all = Loaded::default();
                for capture in catalog.captures() {
                    all.add(&engine.told(capture)?);
                }
                all.bring(catalog).map_err(told)
            }
        }
    }
}

impl Engine {
    /// The engine in PATH.
    fn find(parameters: Parameters) -> Result<Self, String> {
        let places = std::env::var_os("PATH").unwrap_or_default();
        let program =
            std::env::split_paths(&places).filter(|place| place.is_absolute()).map(|place| place.join(NAME)).find(|program| program.is_file());
        let program = program.ok_or("--suricata: Suricata is not installed (not in PATH); --suricata=FILE reads the eve.json of a run elsewhere")?;
        let told =
            Command::new(&program).arg("-V").stdin(Stdio::null()).output().map_err(|error| format!("--suricata: {}: {error}", program.display()))?;
        let version = String::from_utf8_lossy(&told.stdout);
        let version = version.lines().next().unwrap_or_default();
        Ok(Self {
            version: version.split_once("version ").map_or(version, |(_, version)| version).trim().to_owned(),
            program,
            config: parameters.config,
            rules: parameters.rules,
            limit: Duration::from_secs(parameters.seconds.unwrap_or(SECONDS)),
            wanted: parameters.wanted,
            done: Mutex::default(),
        })
    }

    /// What it says of a capture.
    fn told(&self, capture: &Selected) -> Result<Loaded, String> {
        // Whole entries only are put in: a panic elsewhere leaves it sound.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = done.get(&capture.path) {
            return Ok(loaded.clone());
        }
        let loaded = self.run(capture).map_err(|error| format!("--suricata: {}: {error}", capture.name))?;
        tell(&loaded);
        done.insert(capture.path.clone(), loaded.clone());
        Ok(loaded)
    }

    fn run(&self, capture: &Selected) -> Result<Loaded, String> {
        let folder = Folder::new().map_err(|error| format!("no private folder: {error}"))?;
        // The engine reads neither compressed captures nor a part of one; what we write it can.
        let frames = folder.0.join("frames.pcapng");
        let mut wanted = Frames::default();
        wanted.selected(0, capture);
        wanted.write(std::slice::from_ref(capture), &Files::default(), &frames)?;
        let complaints = folder.0.join("complaints");
        let mut command = Command::new(&self.program);
        // One thread, so that two runs say the same in the same order.
        command.arg("-r").arg(&frames).arg("-l").arg(&folder.0).args(["-k", "none", "--runmode", "single"]);
        if let Some(config) = &self.config {
            command.arg("-c").arg(config);
        }
        if let Some(rules) = &self.rules {
            command.arg("-S").arg(rules);
        }
        let file = File::create(&complaints).map_err(|error| error.to_string())?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().map_err(|error| error.to_string())?;
        let started = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if started.elapsed() > self.limit => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("stopped after {} s (--set suricata.seconds=N gives it longer)", self.limit.as_secs()));
                }
                None => std::thread::sleep(PAUSE),
            }
        };
        if !status.success() {
            let why = last_line(&complaints).map(|line| format!(": {line}")).unwrap_or_default();
            return Err(format!("Suricata ended with {status}{why}"));
        }
        let eve = folder.0.join("eve.json");
        if !eve.is_file() {
            return Err("Suricata wrote no eve.json: its configuration has that output off (--set suricata.config=FILE names another)".to_owned());
        }
        let mut loaded = Loaded::default();
        loaded.read(&eve, Some(&capture.name), &self.wanted)?;
        loaded.engine("version", &self.version, Some(&capture.name));
        Ok(loaded)
    }
}

/// The last thing that the engine said.
fn last_line(complaints: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(complaints).ok()?.take(COMPLAINT).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// A folder that nobody else may look into, and that goes with the run of the engine.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let path = std::env::temp_dir().join(format!("pcapper-suricata-{}-{}", std::process::id(), now.as_nanos()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // What is there already is not ours: it fails.
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
