//! The kernel side of Scopeward.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod brake;
mod emit;
mod grant;
mod hooks;
mod identity;
mod kernel;
mod maps;
mod matching;
mod respond;
mod scratch;
mod session;
mod tighten;
mod verdict;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Read by the daemon in the object itself.
#[used]
#[unsafe(link_section = "scopeward")]
#[unsafe(no_mangle)]
static LAYOUT_MARK: [u8; 32] = scopeward_abi::layout::MARK;
