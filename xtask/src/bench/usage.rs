//! What the daemon uses: processor time, memory, memory of the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Ticks of a second in `/proc/PID/stat` (`USER_HZ`, the same on every architecture that matters here).
const TICKS: f64 = 100.0;

/// The process `pid` and all that it started: the daemon has a watchdog.
///
/// # Errors
/// A sentence, when `/proc` cannot be read.
pub fn family(pid: u32) -> Result<Vec<u32>, String> {
    let entries = fs::read_dir("/proc").map_err(|error| format!("cannot read /proc: {error}"))?;
    let parents: Vec<(u32, u32)> = entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, fields(pid)?.get(1)?.parse().ok()?))
        })
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            parents
                .iter()
                .filter(|(_, above)| *above == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    Ok(family)
}

/// Seconds of processor time that the processes have used, in user space and in the kernel.
///
/// # Errors
/// A sentence, when one is gone.
pub fn processor_seconds(pids: &[u32]) -> Result<f64, String> {
    let ticks = |pid: &u32| {
        let fields = fields(*pid).unwrap_or_default();
        let both = [11, 12].map(|at| fields.get(at).and_then(|word: &String| word.parse::<f64>().ok()));
        match both {
            [Some(user), Some(kernel)] => Ok(user + kernel),
            _ => Err(format!("cannot read the times of process {pid}")),
        }
    };
    Ok(pids.iter().map(ticks).sum::<Result<f64, String>>()? / TICKS)
}

/// The fields of `/proc/PID/stat` behind the name: state, parent, …
fn fields(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind) = text.rsplit_once(") ")?;
    Some(behind.split(' ').map(str::to_owned).collect())
}

/// The most memory that the processes ever had, MiB, one after the other.
///
/// # Errors
/// A sentence, when one is gone.
pub fn peak_memory(pids: &[u32]) -> Result<Vec<f64>, String> {
    of_status(pids, "VmHWM:")
}

/// The memory that the processes have now, MiB, one after the other.
///
/// # Errors
/// A sentence, when one is gone.
pub fn memory(pids: &[u32]) -> Result<Vec<f64>, String> {
    of_status(pids, "VmRSS:")
}

fn of_status(pids: &[u32], name: &str) -> Result<Vec<f64>, String> {
    let figure = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kibibytes = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"))
            .and_then(|number| number.trim().parse::<f64>().ok());
        kibibytes
            .map(|number| number / 1024.0)
            .ok_or_else(|| format!("cannot read the memory of process {pid}"))
    };
    pids.iter().map(figure).collect()
}

/// Memory of the kernel that the maps of process `pid` take, MiB.
///
/// # Errors
/// A sentence, when the process is gone.
pub fn map_memory(pid: u32) -> Result<f64, String> {
    let objects = descriptors(pid).ok_or_else(|| format!("cannot read the descriptors of process {pid}"))?;
    let maps: BTreeMap<u64, u64> = objects
        .iter()
        .filter_map(|text| Some((field(text, "map_id:")?, field(text, "memlock:")?)))
        .collect();
    Ok(maps.values().sum::<u64>() as f64 / f64::from(1 << 20))
}

/// The numbers of the programs that process `pid` holds in the kernel; none where it is gone.
pub fn programs(pid: u32) -> BTreeSet<u64> {
    let objects = descriptors(pid).unwrap_or_default();
    objects
        .iter()
        .filter_map(|text| field(text, "prog_id:"))
        .collect()
}

/// What the kernel says of each descriptor of process `pid`.
fn descriptors(pid: u32) -> Option<Vec<String>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).ok()?;
    // Descriptors come and go while we look.
    Some(
        entries
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path()).ok())
            .collect(),
    )
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{family, memory, peak_memory, processor_seconds};

    #[test]
    fn a_process_and_its_child_are_found() {
        let mut child = std::process::Command::new("sleep").arg("10").spawn().unwrap();
        let family = family(std::process::id()).unwrap();
        assert!(family.contains(&child.id()) && family[0] == std::process::id());
        assert!(peak_memory(&family[..1]).unwrap()[0] > 0.5);
        assert!(memory(&family[..1]).unwrap()[0] <= peak_memory(&family[..1]).unwrap()[0]);
        assert!(processor_seconds(&family[..1]).unwrap() >= 0.0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
