//! Tells which server a process is: asks its own program, where that is safe, and looks at what it has open.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tocsin_domain::target::TargetIdentity;
use tocsin_wire::apache_conf::{Config, RunConfig, parse_run_cfg};

use crate::configuration::{self, Configuration};
use crate::procfs::{self, ProcessKey};
use crate::run::{RUN_MS_MAX, run};
use crate::server_args::{BuiltIn, ServerArgs};
use crate::sockets::SocketTables;
use crate::trust::{self, Parties, RunAs};
use crate::watched::LISTENERS_MAX;

/// A process that may be the parent of a server.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) key: ProcessKey,
    pub(crate) comm: String,
    pub(crate) args: ServerArgs,
    /// User and group of one of its children.
    pub(crate) child_owner: Option<(u32, u32)>,
}

/// What was found out.
#[derive(Clone, Debug)]
pub(crate) struct Identified {
    pub(crate) identity: TargetIdentity,
    pub(crate) program: ServerProgram,
}

/// How to run the server's own program on the server's own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerProgram {
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// The files that were read, main file first.
    pub(crate) files: Vec<PathBuf>,
    /// Folders in which more files may appear.
    pub(crate) folders: Vec<PathBuf>,
    main_file: PathBuf,
    server_root: PathBuf,
    args: ServerArgs,
    parties: Parties,
}

impl ServerProgram {
    /// As whom it may be run now: files may have changed hands since.
    pub(crate) fn run_as(&self) -> Option<RunAs> {
        let held_by = |owners: &[u32]| {
            let mut all = self.files.iter().chain([&self.binary]);
            all.all(|file| trust::writable_only_by(file, owners))
        };
        trust::run_as(
            self.parties,
            held_by(&[0]),
            held_by(&[0, self.parties.ours]),
        )
    }

    /// Whether it then has fewer rights than the server itself.
    pub(crate) fn has_fewer_rights(&self, run_as: RunAs) -> bool {
        let uid = match run_as {
            RunAs::Ourselves => self.parties.ours,
            RunAs::User { uid, .. } => uid,
        };
        uid != self.parties.parent.0 && uid != 0
    }

    /// The same with the files that the configuration has now.
    pub(crate) fn read_again(&self) -> Self {
        let mut program = self.clone();
        let config = configuration::read_files(
            &self.main_file,
            &self.server_root,
            &self.args,
            &self.environment,
        );
        program.take_files(&config);
        program
    }

    fn take_files(&mut self, config: &Config) {
        let main = self.main_file.clone();
        let included = config
            .files
            .iter()
            .map(PathBuf::from)
            .filter(|file| *file != main);
        self.files = [main.clone()].into_iter().chain(included).collect();
        self.folders = config
            .include_patterns
            .iter()
            .filter_map(|pattern| Path::new(pattern).parent().map(Path::to_owned))
            .filter(|folder| folder.is_dir())
            .collect();
    }

    /// Runs it with further arguments; `None` when it may not be run, or did not end in time.
    pub(crate) fn ask(&self, further: &[&str]) -> Option<crate::run::Ran> {
        let run_as = self.run_as()?;
        let mut arguments = self.arguments.clone();
        arguments.extend(further.iter().map(|word| (*word).to_owned()));
        run(
            &self.binary,
            &arguments,
            &self.environment,
            run_as,
            RUN_MS_MAX,
        )
        .ok()
    }
}

/// Finds out which server a process is. `wanted` says for a configuration file whether its server is to be watched: of
/// others nothing is read and nothing is run.
///
/// # Errors
/// Why it cannot be watched, for a person.
pub(crate) fn identify(
    candidate: &Candidate,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<Identified, String> {
    let pid = candidate.key.pid;
    let inside = "(a container): watch it from inside";
    if procfs::shares_our_root(pid) == Some(false) {
        return Err(format!("it runs in a file system of its own {inside}"));
    }
    if procfs::shares_our_network(pid) == Some(false) {
        return Err(format!("it runs in a network of its own {inside}"));
    }
    let mut program = program_of(candidate)?;
    let args = &candidate.args;
    let built_in = built_in(&program, args);
    let config_path = args.config_path(&built_in);
    if !wanted(&config_path) {
        return Err("its configuration is not among those to watch".to_owned());
    }
    let root = args.root.as_deref().map_or(built_in.root, PathBuf::from);
    let files = configuration::read_files(&config_path, &root, args, &program.environment);
    // The files first: whether the program may be asked depends on who can write them.
    program.main_file.clone_from(&config_path);
    program.server_root = root;
    program.take_files(&files);
    let dump = dump(&program).unwrap_or_default();
    let configuration = configuration::assemble(&config_path, &files, &dump);
    let listen = listeners(pid, &configuration);
    let identity = TargetIdentity {
        binary: program.binary.display().to_string(),
        config_path: config_path.display().to_string(),
        name: configuration.server_name.clone().unwrap_or_else(host_name),
        pid_file: configuration.pid_file.display().to_string(),
        access_logs: configuration.access_logs.clone(),
        error_logs: configuration.error_logs.clone(),
        config_files: configuration
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
        status_url: status_url(&listen, &configuration),
        probe_url: probe_url(&listen, &configuration),
        listen: listen.iter().map(SocketAddr::to_string).collect(),
    };
    Ok(Identified { identity, program })
}

fn program_of(candidate: &Candidate) -> Result<ServerProgram, String> {
    let pid = candidate.key.pid;
    let owner = procfs::owner(pid).ok_or("it ended")?;
    let usual = || Path::new("/usr/sbin").join(&candidate.comm);
    let binary = procfs::exe(pid).unwrap_or_else(usual);
    let mut environment: Vec<_> = procfs::environ(pid)
        .into_iter()
        .filter(|(name, _)| is_for_configuration(name))
        .collect();
    environment.push((
        "PATH".to_owned(),
        "/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
    ));
    let ours = rustix::process::geteuid().as_raw();
    Ok(ServerProgram {
        binary,
        arguments: candidate.args.same_configuration(),
        environment,
        files: Vec::new(),
        folders: Vec::new(),
        main_file: PathBuf::new(),
        server_root: PathBuf::new(),
        args: candidate.args.clone(),
        parties: Parties {
            ours,
            parent: owner,
            child: candidate.child_owner,
        },
    })
}

/// Variables that Debian's and Red Hat's configurations use; others (such as `LD_PRELOAD`) stay out.
fn is_for_configuration(name: &str) -> bool {
    name.starts_with("APACHE_") || name.starts_with("HTTPD_") || ["LANG", "TZ"].contains(&name)
}

/// What the program was built with; it is only asked where its command line does not tell.
fn built_in(program: &ServerProgram, args: &ServerArgs) -> BuiltIn {
    let usual = BuiltIn::usual(&program.binary);
    let is_told = args
        .config
        .as_deref()
        .is_some_and(|file| file.starts_with('/'));
    if is_told {
        return usual;
    }
    // Even `-V` reads the built-in configuration.
    let config = usual.root.join(&usual.config);
    let files = if config.exists() {
        vec![config]
    } else {
        Vec::new()
    };
    let bare = ServerProgram {
        arguments: Vec::new(),
        files,
        ..program.clone()
    };
    bare.ask(&["-V"])
        .and_then(|ran| BuiltIn::read(&ran.output))
        .unwrap_or(usual)
}

/// What the program says about its configuration; `None` when it cannot be asked or refuses the configuration.
fn dump(program: &ServerProgram) -> Option<RunConfig> {
    let ran = program.ask(&["-t", "-D", "DUMP_RUN_CFG"])?;
    parse_run_cfg(&ran.output).ok()
}

/// Where it listens: by its sockets, where they can be seen, else by its configuration.
fn listeners(pid: u32, configuration: &Configuration) -> Vec<SocketAddr> {
    let inodes: BTreeSet<u64> = procfs::socket_inodes(pid).into_iter().collect();
    let seen = SocketTables::open()
        .and_then(|mut tables| tables.listening(None))
        .unwrap_or_default();
    let ours: BTreeSet<SocketAddr> = seen
        .into_iter()
        .filter(|socket| inodes.contains(&socket.inode))
        .map(|socket| socket.address)
        .collect();
    let found: Vec<_> = ours.into_iter().collect();
    let mut listen = if found.is_empty() {
        configuration.listen.clone()
    } else {
        found
    };
    listen.truncate(LISTENERS_MAX);
    listen
}

/// The address at which this machine reaches a listener.
pub(crate) fn reachable(listener: SocketAddr) -> SocketAddr {
    if !listener.ip().is_unspecified() {
        return listener;
    }
    // A socket on `[::]` takes IPv4 too on every usual system, and IPv6 may be switched off on loopback.
    SocketAddr::from(([127, 0, 0, 1], listener.port()))
}

fn probe_url(listen: &[SocketAddr], configuration: &Configuration) -> String {
    let is_tls = |listener: &SocketAddr| configuration.tls_ports.contains(&listener.port());
    let plain = listen.iter().find(|listener| !is_tls(listener));
    match (plain, listen.first()) {
        (Some(listener), _) => format!("http://{}/", reachable(*listener)),
        (None, Some(listener)) => format!("https://{}/", reachable(*listener)),
        (None, None) => "http://127.0.0.1:80/".to_owned(),
    }
}

fn status_url(listen: &[SocketAddr], configuration: &Configuration) -> Option<String> {
    let page = configuration.status_page.as_ref()?;
    let at_port = listen
        .iter()
        .copied()
        .filter(|listener| page.port.is_none_or(|port| listener.port() == port));
    let base = probe_url(&at_port.collect::<Vec<_>>(), configuration);
    Some(format!("{}{}", base.trim_end_matches('/'), page.path))
}

fn host_name() -> String {
    let name = procfs::text_at_most(Path::new("/proc/sys/kernel/hostname"), 256);
    if name.trim().is_empty() {
        "localhost".to_owned()
    } else {
        name.trim().to_owned()
    }
}

/// The process id that a pid file holds.
pub(crate) fn pid_in(pid_file: &str) -> Option<u32> {
    // Only a file can be one: a pipe would never end.
    let path = Path::new(pid_file);
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    procfs::text_at_most(path, 64)
        .trim()
        .parse()
        .ok()
        .filter(|pid| *pid > 1)
}
