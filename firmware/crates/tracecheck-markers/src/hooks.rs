//! What the executor calls with its `trace` feature on: for every task, so each asks first whether it is the followed one.

use core::sync::atomic::AtomicU32;
#[cfg(not(any(feature = "irq-only", feature = "unmarked")))]
use core::sync::atomic::Ordering;

#[cfg(not(any(feature = "irq-only", feature = "unmarked")))]
use crate::pins;

/// The task whose marks are shown; none at first, for no task lies at address 0.
pub(crate) static FOLLOWED: AtomicU32 = AtomicU32::new(0);

#[cfg(not(any(feature = "irq-only", feature = "unmarked")))]
#[inline(always)]
fn followed(task: u32) -> bool {
    FOLLOWED.load(Ordering::Relaxed) == task
}

#[unsafe(no_mangle)]
fn _embassy_trace_task_ready_begin(_executor: u32, _task: u32) {
    #[cfg(feature = "three-pin")]
    if followed(_task) {
        pins::set(pins::PENDING);
    }
}

#[unsafe(no_mangle)]
fn _embassy_trace_task_exec_begin(_executor: u32, _task: u32) {
    #[cfg(not(any(feature = "irq-only", feature = "unmarked")))]
    if followed(_task) {
        #[cfg(feature = "three-pin")]
        pins::clear(pins::PENDING);
        #[cfg(any(feature = "two-pin", feature = "three-pin"))]
        pins::set(pins::RUN);
        #[cfg(feature = "one-pin")]
        pins::pulses(2);
    }
}

#[unsafe(no_mangle)]
fn _embassy_trace_task_exec_end(_executor: u32, _task: u32) {
    #[cfg(any(feature = "two-pin", feature = "three-pin"))]
    if followed(_task) {
        pins::clear(pins::RUN);
    }
}

#[unsafe(no_mangle)]
fn _embassy_trace_poll_start(_executor: u32) {}

#[unsafe(no_mangle)]
fn _embassy_trace_task_new(_executor: u32, _task: u32) {}

#[unsafe(no_mangle)]
fn _embassy_trace_task_end(_executor: u32, _task: u32) {}

#[unsafe(no_mangle)]
fn _embassy_trace_executor_idle(_executor: u32) {}
