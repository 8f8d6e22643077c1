//! What a process and its ended children have cost, from Linux's /proc.

use std::time::{Duration, Instant};

use anyhow::Context;

/// Linux counts in hundredths of a second for every program, whatever the kernel ticks in.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU-seconds per second that the process `pid` takes during `length`: 1.0 is one core, fully.
pub fn share(pid: u32, length: Duration) -> anyhow::Result<f64> {
    let (start, before) = (Instant::now(), seconds(pid)?);
    // The length of the measurement, not a wait for something to happen.
    std::thread::sleep(length);
    let used = seconds(pid)? - before;
    Ok(used / start.elapsed().as_secs_f64())
}

fn seconds(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}: has it ended?"))?;
    ticks(&text)
        .map(|ticks| ticks as f64 / TICKS_PER_SECOND)
        .with_context(|| format!("understand {path}"))
}

/// User and system time of the process and of the children that it has waited for.
fn ticks(stat: &str) -> Option<u64> {
    // The name in parentheses may hold spaces and parentheses: count from the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let numbers: Vec<&str> = fields.split_whitespace().collect();
    // proc(5): utime, stime, cutime and cstime are fields 14 to 17 of the line, the state is 3.
    numbers
        .get(11..15)?
        .iter()
        .map(|number| number.parse::<u64>().ok())
        .sum()
}

/// Resident memory of the process `pid` in MiB.
pub fn memory_mib(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}: has it ended?"))?;
    let kib = text.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    kib.map(|kib| kib / 1024.0)
        .with_context(|| format!("understand {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_times_are_added() {
        let stat = "12 (a) name (x)) S 1 12 12 0 -1 4194304 100 200 0 0 31 7 400 2 20 0 9 0 55 1000 300";
        assert_eq!(ticks(stat), Some(31 + 7 + 400 + 2));
        assert_eq!(ticks("nonsense"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_time_and_memory() {
        assert!(seconds(std::process::id()).is_ok());
        assert!(memory_mib(std::process::id()).unwrap() > 1.0);
    }
}
