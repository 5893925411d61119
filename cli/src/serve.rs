//! `callfloor serve`: the engine hosted for real callers and operators.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use callfloor_server::config::{Config, LogFormat};
use callfloor_server::server::{Options, Server};
use callfloor_server::storage::{PostgresStores, SqliteStores, Stores};
use tracing_subscriber::EnvFilter;

use crate::ending::{Ending, Failure, print};

/// Serve real callers and operators: HTTP API, telephones, and nothing acknowledged is ever lost.
///
/// Without a configuration it is a demonstration on this machine alone: SQLite in ./callfloor-data, HTTP on
/// 127.0.0.1:8080, SIP on 127.0.0.1:5060, a service with four operators, and accounts whose password is printed once.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Configuration file (TOML); environment variables CALLFLOOR_SECTION_KEY go over it, and the options below over both
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of journals and stores
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to serve HTTP
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Where to serve SIP, by UDP and TCP
    #[arg(long, value_name = "ADDRESS")]
    sip: Option<SocketAddr>,
    /// Serve no telephones
    #[arg(long, conflicts_with = "sip")]
    no_sip: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let config = configuration(arguments)?;
    start_log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Fault(format!("the system gives no threads: {error}")))?;
    runtime.block_on(serve(config))?;
    Ok(Ending::Met)
}

fn configuration(arguments: &Arguments) -> Result<Config, Failure> {
    let (name, text) = match &arguments.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, "read", &error))?;
            (path.display().to_string(), text)
        }
        None => ("the defaults".to_owned(), String::new()),
    };
    let mut config = Config::read(&name, &text, std::env::vars()).map_err(Failure::input)?;
    if let Some(data) = &arguments.data {
        config.data.directory.clone_from(data);
    }
    if let Some(address) = arguments.http {
        config.http.address = address;
    }
    if let Some(address) = arguments.sip {
        config.sip.address = address;
    }
    config.sip.enabled &= !arguments.no_sip;
    refuse_open_doors(&config)?;
    Ok(config)
}

/// Without TLS, HTTP is for this machine, or for a proxy that does TLS.
fn refuse_open_doors(config: &Config) -> Result<(), Failure> {
    let (address, tls) = (config.http.address, config.http.certificate.is_some());
    if !address.ip().is_loopback() && !tls && !config.http.allow_plain_public {
        return Err(Failure::Input(format!(
            "[http] address = {address}: others could read passwords there; give [http] a certificate and a key, put a proxy \
             with TLS in front of 127.0.0.1, or set allow_plain_public = true if one is in front of this address"
        )));
    }
    Ok(())
}

fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log.level)
        .map_err(|error| Failure::Input(format!("[log] level = {:?}: {error}", config.log.level)))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| Failure::Fault(error.to_string()))
}

async fn serve(config: Config) -> Result<(), Failure> {
    let mut signals = Signals::listen();
    // The start reads the certificates, and a journal is safe wherever the start is broken off.
    let server = tokio::select! {
        started = Server::start(stores(&config), Options::new(&config)) => started.map_err(Failure::input)?,
        () = signals.stop() => return Ok(()),
    };
    let scheme = if config.http.certificate.is_some() { "https" } else { "http" };
    print(&format!("callfloor serves HTTP on {scheme}://{}\n", server.http()))?;
    if let Some(address) = server.sip().first() {
        print(&format!("callfloor serves SIP on {address} (UDP and TCP)\n"))?;
    }
    if let Some(first) = server.first_accounts() {
        let (logins, password) = (first.logins.join(", "), &first.password);
        print(&format!("accounts {logins}; password {password} (shown this once: change it)\n"))?;
    }
    print("ready; Ctrl-C stops\n")?;
    serve_until_stopped(&server, &mut signals).await;
    print("stopping\n")?;
    server.stop().await;
    Ok(())
}

/// Where organisations' journals are.
fn stores(config: &Config) -> Arc<dyn Stores> {
    let directory = config.data.directory.clone();
    match config.data.postgres.clone() {
        Some(connection) => Arc::new(PostgresStores { connection, directory }),
        None => Arc::new(SqliteStores(directory)),
    }
}

/// Reads certificates again at each SIGHUP, until Ctrl-C or SIGTERM.
async fn serve_until_stopped(server: &Server, signals: &mut Signals) {
    while signals.next().await == Asked::Reload {
        let certificates = Arc::clone(server.certificates());
        match tokio::task::spawn_blocking(move || certificates.reload()).await {
            Ok(Ok(shown)) => tracing::info!(?shown, "certificates were read again"),
            Ok(Err(problem)) => tracing::error!(problem, "the certificates of before stay in use"),
            Err(problem) => tracing::error!(%problem, "certificates could not be read"),
        }
    }
}

impl Signals {
    /// Until the process is asked to stop.
    async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}

/// What the system's signals ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Ctrl-C or SIGTERM.
    Stop,
    /// SIGHUP.
    Reload,
}

/// Signals to this process, where the system has them: from [`Signals::listen`] on none is lost, and none ends the process
/// halfway.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Without a handler the system's own way to stop a process is left.
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| signal(kind).ok();
        Self {
            interrupt: of(SignalKind::interrupt()),
            terminate: of(SignalKind::terminate()),
            hangup: of(SignalKind::hangup()),
        }
    }

    async fn next(&mut self) -> Asked {
        async fn told(signal: &mut Option<tokio::signal::unix::Signal>) {
            if let Some(signal) = signal
                && signal.recv().await.is_some()
            {
                return;
            }
            std::future::pending().await
        }
        tokio::select! {
            () = told(&mut self.interrupt) => Asked::Stop,
            () = told(&mut self.terminate) => Asked::Stop,
            () = told(&mut self.hangup) => Asked::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    const fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> Asked {
        let _ = tokio::signal::ctrl_c().await;
        Asked::Stop
    }
}
