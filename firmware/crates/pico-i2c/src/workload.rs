//! The scenarios: what is asked of the driver, and what must come of it.

use embassy_futures::select::{Either, select};
use embassy_rp::gpio::Output;
use embassy_rp::i2c::{AbortReason, Async, Error, I2c};
use embassy_rp::peripherals::I2C0;
use embassy_time::{Duration, Timer, with_timeout};

use crate::Scenario;
use crate::rng::Rng;

const REGISTERS: u16 = 0x68;
const DISPLAY: u16 = 0x3c;
const EEPROM: u16 = 0x50;
const NOBODY: u16 = 0x21;

/// Around the FIFO's 16 bytes and its multiples the driver's interrupts change in number.
const LENGTHS: [usize; 20] = [1, 2, 3, 4, 7, 8, 14, 15, 16, 17, 18, 24, 30, 31, 32, 33, 34, 35, 39, 40];
const LONGEST: usize = 40;

pub struct Workload {
    bus: I2c<'static, I2C0, Async>,
    err: Output<'static>,
    rng: Rng,
    /// Where the register file's pointer stands, None before it is known.
    pointer: Option<u8>,
}

impl Workload {
    pub fn new(bus: I2c<'static, I2C0, Async>, err: Output<'static>, rng: Rng) -> Self {
        Workload {
            bus,
            err,
            rng,
            pointer: None,
        }
    }

    /// One scenario, for ever.
    pub async fn run(mut self, scenario: Scenario) -> ! {
        loop {
            let ok = match scenario {
                Scenario::Writes => self.write().await,
                Scenario::Reads => self.read().await,
                Scenario::WriteRead => self.write_read().await,
                Scenario::NackAddress => self.nack_address().await,
                Scenario::NackData => self.nack_data().await,
                Scenario::Mixed | Scenario::Busy => self.any().await,
                Scenario::Cancel => self.cancel().await,
                Scenario::Timeout => self.timeout().await,
                Scenario::Eeprom => self.eeprom().await,
                Scenario::Blocking => self.blocking().await,
            };
            if !ok {
                self.err.set_high();
            }
            self.pause().await;
            self.err.set_low();
        }
    }

    async fn pause(&mut self) {
        let micros = self.rng.between(200, 800);
        Timer::after_micros(micros as u64).await;
    }

    fn length(&mut self) -> usize {
        LENGTHS[self.rng.between(0, LENGTHS.len() as u32 - 1) as usize]
    }

    fn payload(&mut self) -> ([u8; LONGEST], usize) {
        let mut bytes = [0; LONGEST];
        bytes.fill_with(|| self.rng.next() as u8);
        (bytes, self.length())
    }

    /// Whether `bytes` are what the register file holds from `from` on.
    fn registers_match(from: u8, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .enumerate()
            .all(|(k, &byte)| byte == from.wrapping_add(k as u8) ^ 0xa5)
    }

    async fn any(&mut self) -> bool {
        match self.rng.between(0, 7) {
            0..=2 => self.write().await,
            3..=5 => self.read().await,
            _ => self.write_read().await,
        }
    }

    async fn write(&mut self) -> bool {
        let (bytes, n) = self.payload();
        self.bus.write_async(DISPLAY, bytes[..n].iter().copied()).await.is_ok()
    }

    async fn read(&mut self) -> bool {
        if self.pointer.is_none() {
            return self.write_read().await;
        }
        let n = self.length();
        let mut bytes = [0; LONGEST];
        let ok = self.bus.read_async(REGISTERS, &mut bytes[..n]).await.is_ok();
        let from = self.pointer.unwrap_or(0);
        self.pointer = Some(from.wrapping_add(n as u8));
        ok && Self::registers_match(from, &bytes[..n])
    }

    async fn write_read(&mut self) -> bool {
        let from = self.rng.next() as u8;
        let n = self.length();
        let mut bytes = [0; LONGEST];
        let ok = self
            .bus
            .write_read_async(REGISTERS, [from], &mut bytes[..n])
            .await
            .is_ok();
        self.pointer = Some(from.wrapping_add(n as u8));
        ok && Self::registers_match(from, &bytes[..n])
    }

    /// Nobody is there: a write or a read that must fail, then one that must not.
    async fn nack_address(&mut self) -> bool {
        let refused = if self.rng.next() & 0x100 == 0 {
            let (bytes, n) = self.payload();
            self.bus.write_async(NOBODY, bytes[..n].iter().copied()).await
        } else {
            let mut bytes = [0; 4];
            self.bus.read_async(NOBODY, &mut bytes).await
        };
        self.pause().await;
        let after = if self.rng.next() & 0x100 == 0 {
            self.write().await
        } else {
            self.write_read().await
        };
        refused == Err(Error::Abort(AbortReason::NoAcknowledge)) && after
    }

    /// Eight bytes to a display that refuses one of them, then a read that must work.
    async fn nack_data(&mut self) -> bool {
        let bytes: [u8; 8] = core::array::from_fn(|_| self.rng.next() as u8);
        let refused = self.bus.write_async(DISPLAY, bytes).await;
        self.pause().await;
        refused.is_err() && self.write_read().await
    }

    /// A long write that is dropped under way; then, with the bus at rest again, one that must work.
    async fn cancel(&mut self) -> bool {
        let (bytes, _) = self.payload();
        let patience = Timer::after_micros(self.rng.between(60, 400) as u64);
        let dropped = matches!(
            select(self.bus.write_async(DISPLAY, bytes), patience).await,
            Either::Second(())
        );
        Timer::after_millis(6).await;
        dropped && self.write_read().await
    }

    /// Calls that are given up after 3 ms, whatever happens on the bus.
    async fn timeout(&mut self) -> bool {
        let patience = Duration::from_millis(3);
        let done = with_timeout(patience, self.write_read()).await;
        if done.is_err() {
            self.pointer = None;
            Timer::after_millis(2).await;
        }
        done.unwrap_or(false)
    }

    /// A page, asked for until the EEPROM answers again, and read back.
    async fn eeprom(&mut self) -> bool {
        let page = (self.rng.next() & 0xf0) as u8;
        let mut sent = [0; 17];
        sent.fill_with(|| self.rng.next() as u8);
        sent[0] = page;
        if self.bus.write_async(EEPROM, sent).await.is_err() {
            return false;
        }
        let mut tries = 0;
        while self.bus.write_async(EEPROM, [page]).await.is_err() {
            tries += 1;
            if tries > 20 {
                return false;
            }
            Timer::after_micros(500).await;
        }
        let mut back = [0; 16];
        self.bus.read_async(EEPROM, &mut back).await.is_ok() && back == sent[1..]
    }

    /// Calls that wait by asking again and again: no interrupts.
    async fn blocking(&mut self) -> bool {
        let (bytes, n) = self.payload();
        let written = self.bus.blocking_write(DISPLAY, &bytes[..n]).is_ok();
        let mut read = [0; LONGEST];
        let from = self.rng.next() as u8;
        let answered = self.bus.blocking_write_read(REGISTERS, &[from], &mut read[..n]).is_ok();
        written && answered && Self::registers_match(from, &read[..n])
    }
}
