//! The laptop's numbers, once a second.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Reads processor and memory.
#[derive(Debug)]
pub struct LaptopReader {
    system: Option<System>,
    pid: Option<Pid>,
}

/// One reading; `None` where it could not be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaptopReading {
    /// Of this process, in percent of one core.
    pub engine_cpu_percent: Option<f32>,
    /// Of the machine, 0 to 100.
    pub machine_cpu_percent: Option<f32>,
    /// Resident memory of this process, in bytes.
    pub memory_bytes: Option<u64>,
}

impl LaptopReader {
    /// Takes the first reading, against which the next one measures.
    pub fn new() -> Self {
        let mut reader = Self {
            system: System::new().ok(),
            pid: sysinfo::get_current_pid().ok(),
        };
        reader.read();
        reader
    }

    /// What was used since the last call.
    pub fn read(&mut self) -> LaptopReading {
        let nothing = LaptopReading {
            engine_cpu_percent: None,
            machine_cpu_percent: None,
            memory_bytes: None,
        };
        let Some(system) = &mut self.system else {
            return nothing;
        };
        system.refresh_cpu_usage();
        let machine_cpu_percent = Some(round(system.global_cpu_usage()));
        let Some(pid) = self.pid else {
            return LaptopReading {
                machine_cpu_percent,
                ..nothing
            };
        };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        let process = system.process(pid);
        LaptopReading {
            engine_cpu_percent: process.map(|p| round(p.cpu_usage())),
            machine_cpu_percent,
            memory_bytes: process.map(|p| p.memory()),
        }
    }
}

/// Tenths are more than anybody reads; fewer changes, fewer events.
fn round(percent: f32) -> f32 {
    (percent * 10.0).round() / 10.0
}
