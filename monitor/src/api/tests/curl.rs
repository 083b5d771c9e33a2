//! Asking as another user.

use super::fake::Served;

/// Runs curl on the socket as another user; `None`, with a word, where this cannot be done here.
pub(crate) async fn curl_as(uid: u32, served: &Served, arguments: &[&str]) -> Option<(u16, String)> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return None;
    }
    let mut curl = tokio::process::Command::new("curl");
    curl.args(["-sS", "-m", "10", "-w", "\n%{http_code}", "--unix-socket"])
        .arg(&served.path)
        .args(arguments);
    let output = match curl.uid(uid).gid(uid).output().await {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: curl: {error}");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    Some((status.parse().unwrap(), body.to_owned()))
}
