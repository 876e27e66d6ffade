//! The little HTTP that the harness speaks itself: a GET for readiness, and a server of one folder's files for the chart repository.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::error::{Context as _, Result};

const PATIENCE: Duration = Duration::from_secs(5);

/// The status of a GET over plain HTTP on 127.0.0.1, or `None` where nobody answers.
pub(crate) fn status(port: u16, path: &str) -> Option<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    ask().ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// Serves the files of `folder` on a free port for as long as this process lives, and says which port.
pub fn serve_folder(folder: PathBuf) -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(|| "listen on 127.0.0.1".to_owned())?;
    let port = listener
        .local_addr()
        .context(|| "listen on 127.0.0.1".to_owned())?
        .port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            // A reader that went away is its own affair.
            thread::spawn(move || answer(&stream, &folder).ok());
        }
    });
    Ok(port)
}

fn answer(mut stream: &TcpStream, folder: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(16 * 1024));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = match file(&request, folder) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// The file that a request line asks for; only plain names directly in the folder.
fn file(request: &str, folder: &Path) -> Option<Vec<u8>> {
    let mut words = request.split_whitespace();
    let name = (words.next()? == "GET")
        .then(|| words.next())??
        .strip_prefix('/')?;
    let plain = !name.starts_with('.') && !name.contains('/');
    plain.then(|| fs::read(folder.join(name)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_only_files_of_its_folder() {
        let run = crate::RunDir::create().unwrap();
        let folder = run.folder("repo").unwrap();
        run.write("repo/index.yaml", "entries: {}\n").unwrap();
        run.write("secret", "x").unwrap();
        let port = serve_folder(folder).unwrap();
        assert_eq!(status(port, "/index.yaml"), Some(200));
        assert_eq!(status(port, "/other.yaml"), Some(404));
        assert_eq!(status(port, "/../secret"), Some(404));
        assert_eq!(status(port, "/"), Some(404));
    }

    #[test]
    fn nobody_listening_is_no_status() {
        assert_eq!(status(crate::free_port().unwrap(), "/"), None);
    }
}
