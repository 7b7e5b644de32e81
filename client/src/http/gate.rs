//! A step between the open connection and the first byte of a request: what is written down there is on record before
//! anything can have been sent, and what fails before it has sent nothing.

use std::fmt;
use std::io;
use std::sync::Arc;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// The step.
pub trait Gate: fmt::Debug + Send + Sync {
    /// An error ends the request before its first byte.
    fn pass(&self) -> io::Result<()>;
}

/// Puts a gate on whatever connection there is.
#[derive(Debug)]
pub(super) struct GateConnector {
    pub(super) gate: Option<Arc<dyn Gate>>,
}

impl<In: Transport> Connector<In> for GateConnector {
    type Out = GatedTransport<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|transport| GatedTransport { transport, gate: self.gate.clone() }))
    }
}

#[derive(Debug)]
pub(super) struct GatedTransport<T> {
    transport: T,
    /// `None` once it was passed.
    gate: Option<Arc<dyn Gate>>,
}

impl<T: Transport> Transport for GatedTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if let Some(gate) = &self.gate {
            gate.pass()?;
            self.gate = None;
        }
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
