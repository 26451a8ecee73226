//! A port on loopback, with a thread for each connection to it.

use std::collections::HashMap;
use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Dropping it ends its connections and threads.
pub struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    accepted: AtomicUsize,
    /// What is open, to be able to end it.
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Listener {
    /// `serve` gets each connection with its number, counted from 1; the connection is closed when it returns.
    pub fn start(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(listener, &Arc::new(serve)));
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Nobody listens any more: connections are refused.
    pub fn stop(&self) {
        if self.shared.stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        // Wakes the thread that accepts. It lets go of the port before it closes this connection.
        if let Ok(mut waking) = TcpStream::connect(self.address) {
            let _ = waking.read(&mut [0]);
        }
        for connection in self.shared.connections.lock().unwrap().values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn accept<F>(self: Arc<Self>, listener: TcpListener, serve: &Arc<F>)
    where
        F: Fn(TcpStream, usize) + Send + Sync + 'static,
    {
        loop {
            let accepted = listener.accept();
            if self.stopped.load(Ordering::SeqCst) {
                drop(listener);
                return;
            }
            let Ok((socket, peer)) = accepted else { continue };
            let Ok(kept) = socket.try_clone() else { continue };
            self.connections.lock().unwrap().insert(peer, kept);
            let number = self.accepted.fetch_add(1, Ordering::SeqCst) + 1;
            let (shared, serve) = (Arc::clone(&self), Arc::clone(serve));
            thread::spawn(move || {
                serve(socket, number);
                // The kept handle would keep the connection open.
                if let Some(kept) = shared.connections.lock().unwrap().remove(&peer) {
                    let _ = kept.shutdown(Shutdown::Both);
                }
            });
        }
    }
}
