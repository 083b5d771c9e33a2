//! Unix sockets, before they are reached.

use scopeward_abi::{
    event::{hook, kind, when},
    syscall::class,
};

use super::actor::{Arguments, held};
use crate::{
    hooks::unix,
    kernel::{
        call,
        offsets::{of, read},
    },
};

/// `int security_unix_stream_connect(struct sock *sock, struct sock *other, struct sock *newsk)`; the other one is what
/// listens, found by the kernel, whatever name it was given. Checked on 6.1, 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_unix_stream_connect")]
extern "C" fn deny_unix_connect(arguments: Arguments) -> i32 {
    held(hook::UNIX, |actor| {
        // SAFETY: the second argument.
        let other = unsafe { *arguments.add(1) };
        unix::judge(actor, other, kind::UNIX_CONNECT, when::BEFORE_ACT)
    })
}

/// `int security_unix_may_send(struct socket *sock, struct socket *other)`: of datagrams, those that connect, and each
/// that is sent. Checked on 6.1, 6.12, 6.18 and 7.3.
#[unsafe(no_mangle)]
#[unsafe(link_section = "fentry/security_unix_may_send")]
extern "C" fn deny_unix_send(arguments: Arguments) -> i32 {
    held(hook::UNIX, |actor| {
        // SAFETY: the second argument.
        let other = unsafe { *arguments.add(1) };
        // What cannot be read is answered as what cannot be resolved.
        let other = read(other, of::SOCKET_SK()).unwrap_or(0);
        let of_kind = if call::current().class == class::CONNECT {
            kind::UNIX_CONNECT
        } else {
            kind::UNIX_SEND
        };
        unix::judge(actor, other, of_kind, when::BEFORE_ACT)
    })
}
