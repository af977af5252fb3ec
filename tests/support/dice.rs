//! Numbers that come by chance, and are the same on every run.

pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// One below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}
