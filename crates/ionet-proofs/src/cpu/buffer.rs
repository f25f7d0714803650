//! Large zeroed memory straight from the system: it can be refused without ending the process, it is given back at once, and it comes in large
//! pages where there are any. With small ones, a fifth of a product's time would go into being given pages.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::{MmapMut, MmapOptions};

use crate::engine::EngineError;

/// Zeros at first.
pub(super) struct Buffer<T> {
    map: MmapMut,
    of: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Room for `length` values, at least one.
    pub(super) fn new(length: usize) -> Result<Self, EngineError> {
        let bytes = length.checked_mul(size_of::<T>()).ok_or(EngineError::OutOfMemory)?;
        let map = MmapOptions::new().len(bytes).map_anon().map_err(|_| EngineError::OutOfMemory)?;
        // Where the system has no large pages, small ones do.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, of: PhantomData })
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map)
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.map)
    }
}
