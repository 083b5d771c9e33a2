//! The workload of `cargo xtask bench`: one order a run, figures on standard output.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use scopeward_tests::load::{
    acts, alerts, deaths, empty, flood, placement, ramp, sample, sink, spawn, steady, tiny, tree, violations,
};

const USAGE: &str = "\
usage: load ORDER

  acts CORE MILLISECONDS FILE PROGRAM   samples each act; `act NAME NANOSECONDS COUNT`
  flood CORE SECONDS FILE               open + close; `opened COUNT`
  read DIRECTORY                        reads every file; `read COUNT`
  spawn PROGRAM COUNT                   fork + exec + wait; `spawned COUNT NANOSECONDS`
  ramp DIRECTORY                        orders on standard input: `RATE COUNT`
  violate DIRECTORY OBJECTS ATTEMPTS    `attempted OPENED REFUSED CONNECTED`, then waits for the end of its input
  deaths CORE TRIALS [FILE]             `death NANOSECONDS` each, `survived COUNT`, `returned COUNT`
  alerts DIRECTORY COUNT MICROSECONDS   `alert NANOSECONDS-SINCE-1970` each
  steady DIRECTORY ACTS CUTS SECONDS    so many a second; `steady ACTS CUTS NANOSECONDS`
  sink                                  `listening HTTP TCP`, takes everything until its input ends
  wait                                  `ready`, then waits for the end of its input
  empty                                 attaches programs that do nothing; `ready`, then as `wait`
  tiny FILE                             writes the smallest program
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match obey(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("load: failed to {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Does what is ordered; `false` where it is no order.
fn obey(words: &[&str]) -> io::Result<bool> {
    let mut output = io::stdout().lock();
    match *words {
        ["acts", core, length, file, program] => {
            begin(core)?;
            let places = acts::Places {
                file: PathBuf::from(file),
                program: PathBuf::from(program),
            };
            let length = Duration::from_millis(number(length)?);
            for name in acts::NAMES {
                let sample::Sample { nanos, acts } = acts::measure(name, &places, length)?;
                writeln!(output, "act {name} {nanos:.1} {acts}")?;
            }
        }
        ["flood", core, seconds, file] => {
            placement::pin(size(core)?)?;
            let opened = flood::flood(Path::new(file), Duration::from_secs(number(seconds)?))?;
            writeln!(output, "opened {opened}")?;
        }
        ["read", directory] => writeln!(output, "read {}", tree::read(Path::new(directory))?)?,
        ["spawn", program, count] => {
            let (program, count) = (spawn::Program::new(Path::new(program))?, number(count)?);
            let begun = std::time::Instant::now();
            for _ in 0..count {
                program.run()?;
            }
            writeln!(output, "spawned {count} {}", sample::nanos(begun.elapsed()))?;
        }
        ["ramp", directory] => ramp::obey(Path::new(directory), io::stdin().lock(), output)?,
        ["violate", directory, objects, attempts] => {
            let objects = u16::try_from(number(objects)?).map_err(io::Error::other)?;
            let done = violations::attempt(Path::new(directory), objects, number(attempts)?)?;
            writeln!(
                output,
                "attempted {} {} {}",
                done.opened, done.refused, done.connected
            )?;
            output.flush()?;
            io::copy(&mut io::stdin().lock(), &mut io::sink())?;
        }
        ["deaths", core, trials, ref file @ ..] if file.len() < 2 => {
            begin(core)?;
            let deaths = deaths::count(file.first().map(Path::new), size(trials)?)?;
            for nanos in deaths.nanos {
                writeln!(output, "death {nanos}")?;
            }
            writeln!(
                output,
                "survived {}\nreturned {}",
                deaths.survived, deaths.returned
            )?;
        }
        ["alerts", directory, count, gap] => {
            let gap = Duration::from_micros(number(gap)?);
            for time in alerts::raise(Path::new(directory), number(count)?, gap)? {
                writeln!(output, "alert {time}")?;
            }
        }
        ["steady", directory, acts, cuts, seconds] => {
            let length = Duration::from_secs(number(seconds)?);
            let done = steady::work(Path::new(directory), number(acts)?, number(cuts)?, length)?;
            let took = sample::nanos(done.took);
            writeln!(output, "steady {} {} {took}", done.acts, done.cuts)?;
        }
        ["sink"] => {
            let (http, plain) = sink::serve()?;
            writeln!(output, "listening {http} {plain}")?;
            output.flush()?;
            io::copy(&mut io::stdin().lock(), &mut io::sink())?;
        }
        ["wait"] => wait(output)?,
        ["empty"] => {
            let links = empty::attach()?;
            wait(output)?;
            drop(links);
        }
        ["tiny", file] => tiny::write(Path::new(file))?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Says that all is ready, and waits for the end of the input.
fn wait(mut output: impl Write) -> io::Result<()> {
    writeln!(output, "ready")?;
    output.flush()?;
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

/// Takes a core for a measurement, as far as this user may.
fn begin(core: &str) -> io::Result<()> {
    placement::pin(size(core)?)?;
    if let Err(error) = placement::hurry() {
        eprintln!("load: runs with ordinary priority: {error}");
    }
    Ok(())
}

fn number(word: &str) -> io::Result<u64> {
    word.parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{word}: {error}")))
}

fn size(word: &str) -> io::Result<usize> {
    usize::try_from(number(word)?).map_err(io::Error::other)
}
