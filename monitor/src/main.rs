//! Parse, dispatch, error → exit code.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use scopeward::api::client::Client;
use scopeward::cli::exit::Exit;
use scopeward::cli::failure::CliError;
use scopeward::cli::render::escape::escape_lines;
use scopeward::cli::render::output::{Look, Output};
use scopeward::cli::scope::Setting;
use scopeward::cli::{
    Cli, Command, agents, completions, cuts, daemon, doctor, events, export, freeze, grant, grants,
    incidents, kill, man, pending, reload, replay, report, rotate, run, scope, sessions, status, thaw, top,
    tree, verify, why,
};
use scopeward::config::file::Config;
use scopeward::observe::fanotify::{WatchdogJob, watchdog_main};
use scopeward::observe::load::LoadError;
use scopeward::service::daemon::DaemonError;
use scopeward::service::memory::frugal;
use scopeward::service::privileges::keep_needed;

fn main() -> ExitCode {
    if let Some(job) = WatchdogJob::from_args(std::env::args_os()) {
        watchdog_main(&job);
    }
    // Clap itself ends with 2 on wrong usage, and with 0 on --help and --version.
    let cli = Cli::parse();
    // They fork or have a runtime of their own, and so come before there is one.
    match &cli.command {
        Command::Daemon(args) => return serve(&cli, args),
        Command::Run(args) => return run::run(args, &cli).into(),
        _ => {}
    }
    let (config, socket) = match cli.settings().and_then(|settings| Ok((settings, cli.socket()?))) {
        Ok(both) => both,
        Err(error) => return fail(&format!("failed to {error}"), None, Exit::Usage),
    };
    match runtime().map(|runtime| runtime.block_on(answer(&cli.command, &config, &Client::new(socket)))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) if error.is_quiet() => error.exit().into(),
        Ok(Err(error)) => fail(&error.to_string(), error.remedy(), error.exit()),
        Err(error) => fail(&format!("failed to start: {error}"), None, Exit::No),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// `scopeward daemon`.
fn serve(cli: &Cli, args: &daemon::Args) -> ExitCode {
    let config = match cli.config() {
        Ok(config) => config,
        Err(error) => return fail(&format!("failed to {error}"), None, Exit::Usage),
    };
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("SCOPEWARD_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    frugal();
    if let Err(error) = keep_needed() {
        tracing::warn!("failed to give up what root may do and the daemon does not: {error}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    match runtime.map(|runtime| runtime.block_on(daemon::run(args, &config))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(DaemonError::Load(error))) => cannot_load(&error),
        Ok(Err(error)) => fail(&format!("failed to {error}"), None, Exit::No),
        Err(error) => fail(&format!("failed to start: {error}"), None, Exit::No),
    }
}

fn cannot_load(error: &LoadError) -> ExitCode {
    let (sentence, exit) = doctor::why_not(error);
    fail(&sentence, None, exit)
}

/// Said where scopes are judged for a host that could not be asked.
const ASSUMED: &str = "judged as every supported host holds acts (tracepoints, fanotify, cgroup programs), because no \
                       daemon answers here; as root, what this host gives is tried";

/// Runs a command: most ask the daemon.
async fn answer(command: &Command, config: &Config, client: &Client) -> Result<Exit, CliError> {
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    let mut output = Output::new(&mut stdout, Look::of_stdout());
    let output = &mut output;
    let setting = async || {
        let (capabilities, is_known) = scope::capabilities(client).await;
        if !is_known {
            eprintln!("scopeward: {ASSUMED}");
        }
        let mut setting = Setting::of_this_process(capabilities);
        setting.scope_dir.clone_from(&config.paths.scopes);
        setting
    };
    let exit = match command {
        Command::Status(args) => status::run(args, client, output).await,
        Command::Agents(args) => agents::run(args, client, output).await,
        Command::Sessions(args) => sessions::run(args, client, output).await,
        Command::Tree(args) => tree::run(args, client, output).await,
        Command::Events(args) => events::run(args, client, output).await,
        Command::Export(args) => export::run(args, client, output).await,
        Command::Incidents(args) => incidents::run(args, client, output).await,
        Command::Rotate(args) => rotate::run(args, client, output).await,
        Command::Report(args) => report::run(args, client, output).await,
        Command::Cuts(args) => cuts::run(args, client, output).await,
        Command::Why(args) => why::run(args, client, output).await,
        Command::Pending(args) => pending::run(args, client, output).await,
        Command::Top(args) => top::run(args, client, &Look::of_stdout()).await,
        Command::Grant(args) => grant::run(args, client, output).await,
        Command::Grants(args) => grants::run(args, client, output).await,
        Command::Revoke(args) => grants::revoke(args, client, output).await,
        Command::Freeze(args) => freeze::run(args, client, output).await,
        Command::Thaw(args) => thaw::run(args, client, output).await,
        Command::Kill(args) => kill::run(args, client, output).await,
        Command::Verify(args) => verify::run(args, &config.paths.store(), output),
        Command::Reload(args) => reload::run(args, client, output).await,
        Command::Doctor(args) => doctor::run(args, config, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Man(args) => man::run(args, output),
        Command::Replay(args) => replay::run(args, &setting().await, output, &mut std::io::stderr()),
        Command::Scope(args) => {
            return Ok(scope::run(
                args,
                &setting().await,
                &mut std::io::stdout().lock(),
                &mut std::io::stderr().lock(),
            )?);
        }
        // Dispatched before.
        Command::Daemon(_) | Command::Run(_) => Ok(Exit::Done),
    }?;
    output.flush()?;
    Ok(exit)
}

fn fail(error: &str, remedy: Option<&str>, exit: Exit) -> ExitCode {
    let remedy = remedy.map_or_else(String::new, |remedy| format!("  {}\n", escape_lines(remedy)));
    let text = format!("scopeward: {}\n{remedy}", escape_lines(error));
    // Nobody is left to tell where standard error is closed; the exit code still says it.
    drop(std::io::stderr().write_all(text.as_bytes()));
    exit.into()
}
