//! Who is asking: the credentials that the kernel keeps for the other end of the socket.


/// The process at the other end, as it was when it connected.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its process id, as the host sees it; 0 where the host cannot see it.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
    /// Its effective group id and its supplementary groups.
    pub gids: Vec<u32>,
}
