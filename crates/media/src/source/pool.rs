//! Memory for pictures that are drawn anew for each frame.

use gst::prelude::*;

/// A pool of buffers of one size.
#[derive(Debug)]
pub(crate) struct Pool(gst::BufferPool);

impl Pool {
    /// `None` when there is no memory.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let pool = gst::BufferPool::new();
        let mut config = pool.config();
        // Consumers hold half a second at most; more than that means nobody reads, and the oldest are dropped.
        config.set_params(None, u32::try_from(bytes).ok()?, 2, 0);
        pool.set_config(config).ok()?;
        pool.set_active(true).ok()?;
        Some(Self(pool))
    }

    /// A buffer with whatever stood in it before.
    pub(crate) fn buffer(&self) -> Option<gst::Buffer> {
        self.0.acquire_buffer(None).ok()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Buffers that are still out come back to a pool that frees them.
        let _ = self.0.set_active(false);
    }
}
