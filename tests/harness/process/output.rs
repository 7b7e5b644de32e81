//! What a process said so far.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Collects a stream until its end, on a thread of its own.
#[derive(Debug)]
pub struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Collected {
    /// Begins to read.
    pub fn from(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend(&chunk[..count]);
            }
        });
        Self { bytes, reader: Mutex::new(Some(reader)) }
    }

    /// Everything so far.
    pub fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Everything, once the stream has ended.
    pub fn whole(&self) -> String {
        if let Some(reader) = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take() {
            reader.join().expect("reading a stream does not panic");
        }
        self.so_far()
    }
}
