//! Random bytes of tests that need the core's decisions: each draw is the next number.

use tocsin_domain::id::Entropy;

pub(super) struct Counting(pub(super) u64);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 += 1;
        let bytes = self.0.to_le_bytes();
        for (place, byte) in buffer.iter_mut().enumerate() {
            *byte = bytes.get(place).copied().unwrap_or_default();
        }
    }
}
