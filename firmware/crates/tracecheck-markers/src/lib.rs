//! Marker pins for async Embassy firmware on the RP2040: what a logic analyzer needs beside SDA and SCL to tell when an
//! interrupt was handled and when the task it wakes ran.
//!
//! | feature | pins | meaning |
//! | --- | --- | --- |
//! | `three-pin` (default) | IRQ, PENDING, RUN | IRQ is high while the handler runs, PENDING from when the task is made ready until it is polled, RUN while it is polled |
//! | `two-pin` | IRQ, RUN | the same without PENDING |
//! | `one-pin` | MARK | one pulse when the handler begins, two when the task is polled |
//! | `irq-only` | IRQ | the handler; tasks leave no mark |
//! | `unmarked` | none | what the others cost is measured against it |
//!
//! ```ignore
//! bind_interrupts!(struct Irqs {
//!     I2C0_IRQ => markers::IrqEnter, i2c::InterruptHandler<I2C0>, markers::IrqExit;
//! });
//!
//! #[embassy_executor::task]
//! async fn sensor(mut bus: I2c<'static, I2C0, i2c::Async>) {
//!     markers::follow_this_task().await;
//!     // from here on PENDING and RUN speak of this task
//! }
//!
//! // in main, after embassy_rp::init: markers::init();
//! ```
//!
//! The executor's `trace` feature calls the functions at the end of this file for every task; only the followed one drives
//! pins. A program links one set of them, so this crate and another tracer exclude each other.
//!
//! Pins are chosen when the crate is built: TRACECHECK_PIN_IRQ, _PENDING, _RUN, _MARK in the environment, GPIO numbers;
//! without them 2, 3, 4 and 2.
#![no_std]

mod hooks;
mod pins;

use core::future::poll_fn;
use core::sync::atomic::Ordering;
use core::task::Poll;

use embassy_rp::interrupt::typelevel::{Handler, Interrupt};

pub use pins::{SCHEME, describe, init};

/// Marks the beginning of the interrupt handler: the first name in `bind_interrupts!`.
pub struct IrqEnter;

/// Marks its end: the last name in `bind_interrupts!`.
pub struct IrqExit;

impl<I: Interrupt> Handler<I> for IrqEnter {
    #[inline(always)]
    unsafe fn on_interrupt() {
        #[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
        pins::set(pins::IRQ);
        #[cfg(feature = "one-pin")]
        pins::pulses(1);
    }
}

impl<I: Interrupt> Handler<I> for IrqExit {
    #[inline(always)]
    unsafe fn on_interrupt() {
        #[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
        pins::clear(pins::IRQ);
    }
}

/// From here on the marks of tasks are those of the task that awaits this.
pub async fn follow_this_task() {
    poll_fn(|context| {
        let task = embassy_executor::raw::task_from_waker(context.waker());
        hooks::FOLLOWED.store(task.id(), Ordering::Relaxed);
        Poll::Ready(())
    })
    .await
}
