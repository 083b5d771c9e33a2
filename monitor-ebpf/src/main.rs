//! The kernel programs of Scopeward.
#![no_std]
#![no_main]

use aya_ebpf::{
    macros::{map, raw_tracepoint},
    maps::HashMap,
    programs::RawTracePointContext,
};

#[map]
static SESSIONS: HashMap<u32, u64> = HashMap::with_max_entries(65_536, 0);

/// `sched_process_exit(struct task_struct *task)`: forgets a process that has ended.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn sched_process_exit(_ctx: RawTracePointContext) -> i32 {
    let tgid = (aya_ebpf::helpers::bpf_get_current_pid_tgid() >> 32) as u32;
    // Most processes are in no session: an absent key is the usual case, not an error.
    let _absent = SESSIONS.remove(tgid);
    0
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
