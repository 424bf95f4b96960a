//! A Pico that uses its I2C bus in every way, for captures: SDA on GP16, SCL on GP17, marker pins as the markers crate has
//! them, ERR on GP5, which is high after a call whose result was not the expected one.
//!
//! The devices it expects: 0x68 a register file whose byte i holds i ^ 0xA5, 0x3C a display that takes everything, 0x50 an
//! EEPROM; nobody at 0x21.
#![no_std]
#![no_main]

mod rng;
mod workload;

use embassy_executor::Spawner;
use embassy_rp::bind_interrupts;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::peripherals::I2C0;
use embassy_time::{Duration, Ticker, Timer, block_for};
use tracecheck_markers as markers;

use rng::Rng;
use workload::Workload;

#[derive(Clone, Copy, PartialEq)]
#[allow(dead_code, reason = "one is chosen when the program is built")]
enum Scenario {
    Writes,
    Reads,
    WriteRead,
    NackAddress,
    NackData,
    Mixed,
    Busy,
    Cancel,
    Timeout,
    Eeprom,
    Blocking,
}

include!(concat!(env!("OUT_DIR"), "/chosen.rs"));

#[used]
#[unsafe(no_mangle)]
static TRACECHECK_PINS: [u8; 128] = markers::describe("ERR=5 i2c0.SDA=16 i2c0.SCL=17");

bind_interrupts!(struct Irqs {
    I2C0_IRQ => markers::IrqEnter, i2c::InterruptHandler<I2C0>, markers::IrqExit;
});

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    cortex_m::asm::udf()
}

/// The task that the markers follow.
#[embassy_executor::task]
async fn bus_user(bus: I2c<'static, I2C0, i2c::Async>, err: Output<'static>) {
    markers::follow_this_task().await;
    Workload::new(bus, err, Rng::new(SEED)).run(SCENARIO).await
}

/// A task with work of its own: little in most scenarios, and in `busy` enough to make the other one wait.
#[embassy_executor::task]
async fn neighbour() {
    let mut rng = Rng::new(SEED ^ 0x5eed);
    let mut ticker = Ticker::every(Duration::from_micros(if SCENARIO == Scenario::Busy {
        170
    } else {
        1000
    }));
    loop {
        ticker.next().await;
        let micros = if SCENARIO == Scenario::Busy {
            rng.between(30, 80)
        } else {
            2
        };
        block_for(Duration::from_micros(micros as u64));
    }
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    core::hint::black_box(&TRACECHECK_PINS);
    let p = embassy_rp::init(Default::default());
    markers::init();
    let err = Output::new(p.PIN_5, Level::Low);
    let mut config = i2c::Config::default();
    config.frequency = SPEED_HZ;
    let bus = I2c::new_async(p.I2C0, p.PIN_17, p.PIN_16, Irqs, config);
    Timer::after_micros(100).await;
    spawner.spawn(neighbour().unwrap());
    spawner.spawn(bus_user(bus, err).unwrap());
}
