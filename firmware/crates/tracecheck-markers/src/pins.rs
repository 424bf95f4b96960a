//! The pins: which they are, and one store for each edge.

#![cfg_attr(feature = "unmarked", allow(dead_code))]

const IO_BANK0: usize = 0x4001_4000;
const PADS_BANK0: usize = 0x4001_c000;
const SIO_OUT_SET: *mut u32 = 0xd000_0014 as *mut u32;
const SIO_OUT_CLR: *mut u32 = 0xd000_0018 as *mut u32;
const SIO_OE_SET: *mut u32 = 0xd000_0024 as *mut u32;
const FUNCTION_SIO: u32 = 5;
/// Input enabled, no pulls, 12 mA, fast slew: an edge the analyzer sees at once.
const PAD: u32 = 1 << 6 | 0b11 << 4 | 1;

const fn number(text: Option<&str>, otherwise: u32) -> u32 {
    let Some(text) = text else { return otherwise };
    let bytes = text.as_bytes();
    let (mut value, mut k) = (0, 0);
    while k < bytes.len() {
        assert!(bytes[k].is_ascii_digit(), "TRACECHECK_PIN_...: give a GPIO number");
        value = value * 10 + (bytes[k] - b'0') as u32;
        k += 1;
    }
    assert!(
        bytes.len() > 0 && value < 30,
        "TRACECHECK_PIN_...: the RP2040 has GPIO 0 to 29"
    );
    value
}

const MARKS: &[(&str, u32)] = &[
    #[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
    ("IRQ", number(option_env!("TRACECHECK_PIN_IRQ"), 2)),
    #[cfg(feature = "three-pin")]
    ("PENDING", number(option_env!("TRACECHECK_PIN_PENDING"), 3)),
    #[cfg(any(feature = "two-pin", feature = "three-pin"))]
    ("RUN", number(option_env!("TRACECHECK_PIN_RUN"), 4)),
    #[cfg(feature = "one-pin")]
    ("MARK", number(option_env!("TRACECHECK_PIN_MARK"), 2)),
];

#[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
pub(crate) const IRQ: u32 = 1 << MARKS[0].1;
#[cfg(feature = "three-pin")]
pub(crate) const PENDING: u32 = 1 << MARKS[1].1;
#[cfg(any(feature = "two-pin", feature = "three-pin"))]
pub(crate) const RUN: u32 = 1 << MARKS[MARKS.len() - 1].1;
#[cfg(feature = "one-pin")]
const MARK: u32 = 1 << MARKS[0].1;

/// The scheme this crate was built with.
pub const SCHEME: &str = if cfg!(feature = "three-pin") {
    "three-pin"
} else if cfg!(feature = "two-pin") {
    "two-pin"
} else if cfg!(feature = "one-pin") {
    "one-pin"
} else if cfg!(feature = "irq-only") {
    "irq-only"
} else {
    "unmarked"
};

const _: () = assert!(
    cfg!(feature = "three-pin") as u8
        + cfg!(feature = "two-pin") as u8
        + cfg!(feature = "one-pin") as u8
        + cfg!(feature = "irq-only") as u8
        + cfg!(feature = "unmarked") as u8
        == 1,
    "tracecheck-markers: choose one of the features three-pin, two-pin, one-pin, irq-only, unmarked"
);

/// Makes the marker pins outputs that are low. After `embassy_rp::init`, before the first interrupt.
pub fn init() {
    for &(_, pin) in MARKS {
        unsafe {
            SIO_OUT_CLR.write_volatile(1 << pin);
            SIO_OE_SET.write_volatile(1 << pin);
            ((PADS_BANK0 + 4 + 4 * pin as usize) as *mut u32).write_volatile(PAD);
            ((IO_BANK0 + 4 + 8 * pin as usize) as *mut u32).write_volatile(FUNCTION_SIO);
        }
    }
}

#[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
#[inline(always)]
pub(crate) fn set(mask: u32) {
    unsafe { SIO_OUT_SET.write_volatile(mask) }
}

#[cfg(not(any(feature = "one-pin", feature = "unmarked")))]
#[inline(always)]
pub(crate) fn clear(mask: u32) {
    unsafe { SIO_OUT_CLR.write_volatile(mask) }
}

/// `count` pulses, each high and each low for some 180 ns at 125 MHz: four samples at 24 MS/s.
#[cfg(feature = "one-pin")]
#[inline(always)]
pub(crate) fn pulses(count: u32) {
    for _ in 0..count {
        unsafe { SIO_OUT_SET.write_volatile(MARK) }
        cortex_m::asm::delay(6);
        unsafe { SIO_OUT_CLR.write_volatile(MARK) }
        cortex_m::asm::delay(6);
    }
}

/// A NUL-terminated text for a symbol called TRACECHECK_PINS: scheme and pins, and `more` of the program's own, such as
/// `i2c0.SDA=16 i2c0.SCL=17`. Whoever records the firmware, emulated or not, reads the wiring from it.
pub const fn describe(more: &str) -> [u8; 128] {
    let mut text = [0; 128];
    let mut at = append(&mut text, 0, "scheme=");
    at = append(&mut text, at, SCHEME);
    let mut k = 0;
    while k < MARKS.len() {
        let (name, pin) = MARKS[k];
        at = append(&mut text, at, " ");
        at = append(&mut text, at, name);
        at = append(&mut text, at, "=");
        if pin > 9 {
            text[at] = b'0' + (pin / 10) as u8;
            at += 1;
        }
        text[at] = b'0' + (pin % 10) as u8;
        at += 1;
        k += 1;
    }
    at = append(&mut text, at, " ");
    at = append(&mut text, at, more);
    assert!(at < 128, "the text of TRACECHECK_PINS is too long");
    text
}

const fn append(text: &mut [u8; 128], mut at: usize, part: &str) -> usize {
    let bytes = part.as_bytes();
    let mut k = 0;
    while k < bytes.len() {
        text[at] = bytes[k];
        at += 1;
        k += 1;
    }
    at
}
