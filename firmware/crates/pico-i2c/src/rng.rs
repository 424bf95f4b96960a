//! Numbers that look drawn and are the same each time: xorshift, after Marsaglia (2003).

pub struct Rng(u32);

impl Rng {
    pub fn new(seed: u32) -> Self {
        let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9) | 1);
        for _ in 0..4 {
            rng.next();
        }
        rng
    }

    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() >> 8) % (high - low + 1)
    }
}
