//! Every technique: one word for each, used by the attack program, the tests and the report.

use std::io;

use super::files::target::FileTarget;
use super::files::{self};
use super::network::target::NetworkTarget;
use super::network::{self};
use super::outsiders::{escape, memory, signal, target::OutsiderTarget, trace};
use super::services::{self, target::ServiceTarget};
use super::slot::Slot;
use super::technique::{
    Content, Family, FileTechnique, Gain, NetworkTechnique, OutsiderTechnique, ServiceTechnique, Sort,
    Technique, Transport,
};

type FileAttempt = fn(&FileTarget, Slot<'_>) -> io::Result<()>;
type NetworkAttempt = fn(&NetworkTarget) -> io::Result<()>;

const fn file(
    name: &'static str,
    content: Content,
    gain: Gain,
    consumes: bool,
    attempt: FileAttempt,
) -> Technique {
    Technique {
        name,
        sort: Sort::File(FileTechnique {
            content,
            gain,
            consumes,
            attempt,
        }),
    }
}

const fn read(name: &'static str, attempt: FileAttempt) -> Technique {
    file(name, Content::Secret, Gain::Read, false, attempt)
}

const fn destroy(name: &'static str, attempt: FileAttempt) -> Technique {
    file(name, Content::Secret, Gain::Destroy, true, attempt)
}

const fn run(name: &'static str, attempt: FileAttempt) -> Technique {
    file(name, Content::Program, Gain::Read, false, attempt)
}

const fn net(name: &'static str, transport: Transport, family: Family, attempt: NetworkAttempt) -> Technique {
    Technique {
        name,
        sort: Sort::Network(NetworkTechnique {
            transport,
            family,
            forbidden_socket: false,
            attempt,
        }),
    }
}

const fn crafted(name: &'static str, transport: Transport, attempt: NetworkAttempt) -> Technique {
    Technique {
        name,
        sort: Sort::Network(NetworkTechnique {
            transport,
            family: Family::V4,
            forbidden_socket: true,
            attempt,
        }),
    }
}

const fn service(
    name: &'static str,
    delivered_first: bool,
    attempt: fn(&ServiceTarget) -> io::Result<()>,
) -> Technique {
    Technique {
        name,
        sort: Sort::Service(ServiceTechnique {
            delivered_first,
            attempt,
        }),
    }
}

type Act = fn(&OutsiderTarget) -> io::Result<()>;

const fn outsider(name: &'static str, kind: &'static str, attempt: Act, twin: Option<Act>) -> Technique {
    Technique {
        name,
        sort: Sort::Outsider(OutsiderTechnique {
            kind,
            done_first: matches!(kind.as_bytes(), b"process.signal"),
            attempt,
            twin,
        }),
    }
}

const fn traced(name: &'static str, attempt: Act) -> Technique {
    outsider(name, "process.trace", attempt, None)
}

const fn signalled(name: &'static str, attempt: Act) -> Technique {
    outsider(name, "process.signal", attempt, None)
}

const fn renamed(name: &'static str, attempt: Act) -> Technique {
    outsider(name, "namespace.change", attempt, Some(escape::unshare_host_name))
}

/// Every technique.
pub const TECHNIQUES: &[Technique] = &[
    read("open", files::plain::attempt),
    read("symlink", files::symlink::attempt),
    read("hard-link", files::hard_link::attempt),
    file(
        "rename",
        Content::Secret,
        Gain::Read,
        true,
        files::rename::attempt,
    ),
    read("proc-root", files::proc_root::attempt),
    read("bind-mount", files::bind_mount::attempt),
    read("bind-mount-file", files::bind_mount_file::attempt),
    read("chroot", files::chroot::attempt),
    read("openat2", files::openat2::attempt),
    read("open-by-handle", files::open_by_handle_at::attempt),
    read("o-path", files::o_path::attempt),
    read("mmap", files::mmap::attempt),
    read("io-uring", files::io_uring::attempt),
    read("io-uring-linked", files::io_uring::linked),
    read("io-uring-fixed", files::io_uring::fixed),
    read("io-uring-polled", files::io_uring::polled),
    read("orphan", files::orphan::attempt),
    read("vfork", files::vfork::attempt),
    read("exec-from-thread", files::exec_from_thread::attempt),
    read("clone-parent", files::clone_parent::attempt),
    read("fork-tree", files::fork_tree::attempt),
    read("thread-race", files::thread_race::attempt),
    read("clone-files", files::clone_files::attempt),
    read("pidfd-getfd", files::pidfd_getfd::attempt),
    read("scm-rights", files::scm_rights::attempt),
    read("fifo", files::fifo::attempt),
    read("int80", files::int80::attempt),
    read("cat", files::cat::attempt),
    read("python", files::python::attempt),
    read("cp", files::cp::attempt),
    read("sendfile", files::sendfile::attempt),
    read("splice", files::splice::attempt),
    read("copy-file-range", files::copy_file_range::attempt),
    run("execve", files::execve::attempt),
    run("execveat", files::execveat::attempt),
    destroy("truncating-open", files::truncating_open::attempt),
    destroy("creat", files::creat::attempt),
    destroy("overwrite", files::overwrite::attempt),
    destroy("truncate", files::truncate::attempt),
    destroy("unlink", files::unlink::attempt),
    net("tcp4", Transport::Tcp, Family::V4, network::stream::tcp),
    net("tcp6", Transport::Tcp, Family::V6, network::stream::tcp),
    net(
        "tcp-v4-mapped",
        Transport::Tcp,
        Family::V4,
        network::stream::v4_mapped,
    ),
    net(
        "tcp-thread",
        Transport::Tcp,
        Family::V4,
        network::in_thread::attempt,
    ),
    net(
        "tcp-nonblocking",
        Transport::Tcp,
        Family::V4,
        network::nonblocking::attempt,
    ),
    net(
        "tcp-reconnect",
        Transport::Tcp,
        Family::V4,
        network::reconnect::tcp,
    ),
    net(
        "fast-open",
        Transport::Tcp,
        Family::V4,
        network::fast_open::sendto,
    ),
    net(
        "fast-open6",
        Transport::Tcp,
        Family::V6,
        network::fast_open::sendto,
    ),
    net(
        "fast-open-deferred",
        Transport::Tcp,
        Family::V4,
        network::fast_open::deferred,
    ),
    net(
        "fast-open-mptcp",
        Transport::Mptcp,
        Family::V4,
        network::fast_open::mptcp,
    ),
    net("mptcp4", Transport::Mptcp, Family::V4, network::stream::mptcp),
    net("mptcp6", Transport::Mptcp, Family::V6, network::stream::mptcp),
    net("sctp", Transport::Sctp, Family::V4, network::stream::sctp),
    net(
        "udp-connected",
        Transport::Udp,
        Family::V4,
        network::datagram::connected,
    ),
    net(
        "udp-sendto",
        Transport::Udp,
        Family::V4,
        network::datagram::sendto,
    ),
    net(
        "udp6-sendto",
        Transport::Udp,
        Family::V6,
        network::datagram::sendto,
    ),
    net(
        "udp-v4-mapped",
        Transport::Udp,
        Family::V4,
        network::datagram::v4_mapped,
    ),
    net(
        "udp-sendmsg",
        Transport::Udp,
        Family::V4,
        network::datagram::by_sendmsg,
    ),
    net(
        "udp-sendmmsg",
        Transport::Udp,
        Family::V4,
        network::datagram::by_sendmmsg,
    ),
    net(
        "udp-packet-info",
        Transport::Udp,
        Family::V4,
        network::datagram::packet_info,
    ),
    net(
        "udp-connected-elsewhere",
        Transport::Udp,
        Family::V4,
        network::datagram::connected_elsewhere,
    ),
    net(
        "udp-reconnect",
        Transport::Udp,
        Family::V4,
        network::reconnect::udp,
    ),
    crafted("udp-lite", Transport::UdpLite, network::datagram::lite),
    net(
        "io-uring-connect",
        Transport::Tcp,
        Family::V4,
        network::io_uring::connect,
    ),
    net(
        "io-uring-sendmsg",
        Transport::Udp,
        Family::V4,
        network::io_uring::sendmsg,
    ),
    crafted("raw", Transport::Udp, network::crafted::raw),
    crafted("packet", Transport::Udp, network::crafted::packet),
    crafted("ping", Transport::Icmp, network::crafted::ping),
    service("unix-path", false, services::stream::path),
    service("unix-nonblocking", false, services::stream::nonblocking),
    service("unix-symlink", false, services::stream::symlink),
    service("unix-hard-link", false, services::stream::hard_link),
    service("unix-proc-root", false, services::stream::proc_root),
    service("unix-relative", false, services::stream::relative),
    service("unix-bind-mount", false, services::stream::bind_mount),
    service("unix-abstract", false, services::stream::abstract_name),
    service("unix-datagram-connected", false, services::datagram::connected),
    service("unix-datagram", true, services::datagram::sendto),
    service("unix-datagram-abstract", true, services::datagram::abstract_name),
    service("unix-sendmsg", true, services::datagram::by_sendmsg),
    service("unix-sendmmsg", true, services::datagram::by_sendmmsg),
    service("unix-io-uring", false, services::io_uring::connect),
    service("unix-io-uring-datagram", true, services::io_uring::datagram),
    traced("ptrace-seize", trace::seize),
    traced("ptrace-attach", trace::attach),
    traced("pidfd-getfd-outsider", trace::getfd),
    traced("proc-environ", memory::environ),
    traced("proc-environ-thread", memory::environ_of_thread),
    traced("proc-maps", memory::maps),
    traced("proc-mem", memory::mem),
    traced("proc-fd", memory::descriptors),
    traced("process-vm-readv", memory::vm_read),
    signalled("kill", signal::kill),
    signalled("tgkill", signal::tgkill),
    signalled("sigqueue", signal::queue),
    signalled("sigqueue-forged", signal::forged),
    signalled("pidfd-send-signal", signal::by_pidfd),
    signalled("pidfd-send-record", signal::by_pidfd_with_record),
    renamed("unshare-mounts", escape::unshare_mounts),
    renamed("unshare-users", escape::unshare_users),
    renamed("clone-users", escape::clone_users),
    renamed("setns", escape::join),
    outsider("chroot-away", "file.mount", escape::chroot, Some(escape::chdir)),
    outsider("mount", "file.mount", escape::mount_own, Some(escape::chdir)),
    outsider(
        "mount-nowhere",
        "file.mount",
        escape::mount_nowhere,
        Some(escape::file_system_context),
    ),
    outsider(
        "bpf-enumerate",
        "monitor.tamper",
        escape::bpf_enumerate,
        Some(escape::bpf_own_map),
    ),
    outsider(
        "leave-cgroup",
        "cgroup.move",
        escape::leave_cgroup,
        Some(escape::read_cgroup),
    ),
    outsider(
        "start-in-cgroup",
        "cgroup.move",
        escape::start_in_cgroup,
        Some(escape::start_at_home),
    ),
];
