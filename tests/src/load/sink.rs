//! Receivers on loopback that take everything: what exporters cost is measured, not what takes their events.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A port of loopback where HTTP requests are answered with 200, and one where connections are read to their end.
///
/// # Errors
/// Those of binding.
pub fn serve() -> io::Result<(u16, u16)> {
    let (http, plain) = (
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    );
    let ports = (http.local_addr()?.port(), plain.local_addr()?.port());
    accept(http, answer);
    accept(plain, |stream| {
        io::copy(&mut { stream }, &mut io::sink()).map(drop)
    });
    Ok(ports)
}

fn accept(listener: TcpListener, take: fn(TcpStream) -> io::Result<()>) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // One that goes away in between is the exporter's to try again.
            thread::spawn(move || take(stream).ok());
        }
    });
}

/// Request after request, until the connection ends.
fn answer(stream: TcpStream) -> io::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut requests.by_ref().take(length), &mut io::sink())?;
        answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};

    #[test]
    fn requests_are_answered_and_connections_are_read_to_their_end() {
        let (http, plain) = super::serve().expect("listen");
        let mut stream = TcpStream::connect(("127.0.0.1", http)).expect("connect");
        for _ in 0..2 {
            stream
                .write_all(b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
                .expect("send");
            let mut answer = [0; 38];
            stream.read_exact(&mut answer).expect("an answer");
            assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
        }
        let mut stream = TcpStream::connect(("127.0.0.1", plain)).expect("connect");
        stream.write_all(b"5 hello").expect("send");
        stream.shutdown(Shutdown::Write).expect("end our side");
        assert_eq!(stream.read(&mut [0; 1]).expect("their end"), 0);
    }
}
